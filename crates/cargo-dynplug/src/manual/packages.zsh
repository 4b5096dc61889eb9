(( $+functions[_cargo-dynplug_packages] )) ||
_cargo-dynplug_packages() {
    local -a packages
    packages=(${(f)"$(cargo-dynplug packages 2>/dev/null)"})
    _describe -t packages 'package' packages
}
