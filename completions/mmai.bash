# Completion of mmai for bash 3.2 and newer: mmai --show-completion bash
_mmai() {
    local line=${COMP_LINE:0:COMP_POINT} before="" word value
    # Bash replaces only what stands behind the last of its word breaks, and a colon is one.
    word=${line##*[[:space:]]}
    if [[ $COMP_WORDBREAKS == *:* && $word == *:* && $word != [\"\']* ]]; then
        [[ $word == --*=* ]] && word=${word#*=}
        before=${word%"${word##*:}"}
    fi
    COMPREPLY=()
    while IFS=$'\t' read -r value _; do
        [[ -n $value ]] && COMPREPLY+=("$(printf %q "${value#"$before"}")")
    done < <(env _MMAI_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args _TYPER_COMPLETE_ARGS="$line" "${1/#\~\//$HOME/}" 2>/dev/null)
}
complete -o default -F _mmai mmai
