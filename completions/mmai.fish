# Completion of mmai for fish: mmai --show-completion fish
function __mmai_offers
    set -l option (string match -r -- '^--[^=]+=' (commandline -ct))
    set -g __mmai_offered "$option"(env _MMAI_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
        _TYPER_COMPLETE_ARGS=(commandline -cp | string collect) mmai 2>/dev/null)
    test -n "$__mmai_offered"
end
complete --command mmai --no-files --condition __mmai_offers --arguments '$__mmai_offered'
