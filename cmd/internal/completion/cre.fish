# Completion of cre for fish 3 and later. It asks cre __complete, which starts
# nothing and reads nothing.

function __cre_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -e words[1]
    # The value in --flag=value is completed alone; fish wants the whole word.
    set -l flag (string match -r -- '^-[^=]*=' "$current")
    for line in (command cre __complete $words "$current" </dev/null 2>/dev/null)
        switch $line
            case ':0'
                for path in (__fish_complete_path (string replace -r -- '^-[^=]*=' '' "$current"))
                    printf '%s%s\n' "$flag" $path
                end
            case ':*'
            case '*'
                printf '%s%s\n' "$flag" $line
        end
    end
end

complete -c cre -e
complete -c cre -f -a '(__cre_complete)'
