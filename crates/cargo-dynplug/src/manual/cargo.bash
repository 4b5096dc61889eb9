
# After `-p` come the packages of the workspace. What has to do with keys means files by it.
__cargo_dynplug_words() {
    local word
    case ${COMP_WORDS[COMP_CWORD-1]-} in
        -p | --package | --api)
            for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                case $word in keygen | sign | verify | pin) _cargo_dynplug "$@"; return ;; esac
            done
            COMPREPLY=($(compgen -W "$(cargo-dynplug packages 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
            ;;
        *) _cargo_dynplug "$@" ;;
    esac
}

complete -F __cargo_dynplug_words -o bashdefault -o default cargo-dynplug

# `cargo dynplug …` is completed as `cargo-dynplug …`. Everything else of cargo's is completed as before, by the function
# that cargo's own completion has.
__cargo_dynplug_is() {
    local at=1
    # A toolchain may stand first: `cargo +nightly dynplug`.
    [[ ${COMP_WORDS[at]-} == +* ]] && at=$((at + 1))
    [[ ${COMP_WORDS[at]-} == dynplug && $COMP_CWORD -gt $at ]] && __cargo_dynplug_at=$at
}

__cargo_dynplug_former() {
    local known
    known=$(complete -p cargo 2>/dev/null) || return 1
    [[ $known =~ -F[[:space:]]+([^[:space:]]+) ]] || return 1
    [[ ${BASH_REMATCH[1]} != __cargo_dynplug_or_cargo ]] && __cargo_dynplug_cargo=${BASH_REMATCH[1]}
}

__cargo_dynplug_or_cargo() {
    local __cargo_dynplug_at=0
    if __cargo_dynplug_is; then
        local -a COMP_WORDS=(cargo-dynplug "${COMP_WORDS[@]:__cargo_dynplug_at+1}")
        local COMP_CWORD=$((COMP_CWORD - __cargo_dynplug_at))
        __cargo_dynplug_words cargo-dynplug "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        return
    fi
    if [[ -z ${__cargo_dynplug_cargo-} ]]; then
        # cargo's own completion is loaded when it is first needed, and then takes our place.
        if declare -F _comp_load >/dev/null; then
            _comp_load cargo
        elif declare -F _completion_loader >/dev/null; then
            _completion_loader cargo
        fi
        __cargo_dynplug_former || __cargo_dynplug_cargo=""
        complete -F __cargo_dynplug_or_cargo -o bashdefault -o default cargo
    fi
    if [[ -n ${__cargo_dynplug_cargo-} ]]; then
        "$__cargo_dynplug_cargo" "$@"
    fi
}

__cargo_dynplug_former
complete -F __cargo_dynplug_or_cargo -o bashdefault -o default cargo
