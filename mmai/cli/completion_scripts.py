"""The completion scripts of bash, zsh and fish, each asking mmai itself what may stand at the cursor.

typer's own scripts break a reference at its colon. These ask in its form for fish, a value and a tab and a description on each
line, and leave to each shell what it does with colons.
"""

from mmai.cli.completion import Shell

ASK = "env _MMAI_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args"

BASH = f"""\
# Completion of mmai for bash 3.2 and newer: mmai --show-completion bash
_mmai() {{
    local line=${{COMP_LINE:0:COMP_POINT}} before="" word value
    # Bash replaces only what stands behind the last of its word breaks, and a colon is one.
    word=${{line##*[[:space:]]}}
    if [[ $COMP_WORDBREAKS == *:* && $word == *:* && $word != [\\"\\']* ]]; then
        [[ $word == --*=* ]] && word=${{word#*=}}
        before=${{word%"${{word##*:}}"}}
    fi
    COMPREPLY=()
    while IFS=$'\\t' read -r value _; do
        [[ -n $value ]] && COMPREPLY+=("$(printf %q "${{value#"$before"}}")")
    done < <({ASK} _TYPER_COMPLETE_ARGS="$line" "${{1/#\\~\\//$HOME/}}" 2>/dev/null)
}}
complete -o default -F _mmai mmai
"""

ZSH = f"""\
#compdef mmai
# Completion of mmai for zsh: mmai --show-completion zsh
_mmai() {{
    local line value
    local -a offered
    for line in "${{(@f)$({ASK} _TYPER_COMPLETE_ARGS="${{words[1,CURRENT]}}" ${{~words[1]}} 2>/dev/null)}}"; do
        value=${{line%%$'\\t'*}}
        # A colon ends the value unless a backslash stands before it.
        [[ -n $value ]] && offered+=("${{value//:/\\\\:}}:${{${{line#$value}}#$'\\t'}}")
    done
    [[ $PREFIX == --*=* ]] && compset -P '*='
    if (( $#offered )); then _describe -V mmai offered; else _files; fi
}}
if [[ $funcstack[1] == _mmai ]]; then _mmai "$@"; else compdef _mmai mmai; fi
"""

FISH = f"""\
# Completion of mmai for fish: mmai --show-completion fish
function __mmai_offers
    set -l option (string match -r -- '^--[^=]+=' (commandline -ct))
    set -g __mmai_offered "$option"({ASK} \\
        _TYPER_COMPLETE_ARGS=(commandline -cp | string collect) mmai 2>/dev/null)
    test -n "$__mmai_offered"
end
complete --command mmai --no-files --condition __mmai_offers --arguments '$__mmai_offered'
"""

SCRIPTS = {Shell.BASH: BASH, Shell.ZSH: ZSH, Shell.FISH: FISH}
