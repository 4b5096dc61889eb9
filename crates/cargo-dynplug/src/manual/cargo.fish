
# `cargo dynplug …` is completed as `cargo-dynplug …`.
function __cargo_dynplug_complete
    set -l words (commandline -opc)
    set -l at (contains -i -- dynplug $words)
    set -e words[1..$at]
    complete -C "cargo-dynplug $words "(commandline -ct)
end

complete -c cargo -n '__fish_seen_subcommand_from dynplug' -f -a '(__cargo_dynplug_complete)'

# After `-p` come the packages of the workspace.
complete -c cargo-dynplug -n '__fish_seen_subcommand_from build run test clippy doc clean sdk sync watch bundle link' -s p -l package -x -a '(cargo-dynplug packages 2>/dev/null)'
