#compdef cre
# Completion of cre for zsh. It asks cre __complete, which starts nothing and
# reads nothing.

_cre() {
  local line files
  local -a found
  for line in "${(@f)$(command cre __complete "${(@)words[2,CURRENT]}" </dev/null 2>/dev/null)}"; do
    case $line in
      :0) files=yes ;;
      :*|'') ;;
      *$'\t'*) found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
      *) found+=("${line//:/\\:}") ;;
    esac
  done
  # The value in --flag=value is completed alone.
  [[ $PREFIX != -*=* ]] || compset -P '*='
  if (( $#found )); then
    _describe -t values cre found
  elif [[ -n $files ]]; then
    _files
  else
    return 1
  fi
}

# zsh loads this file as a function; a profile sources it.
if [[ ${funcstack[1]} == _cre ]]; then
  _cre "$@"
else
  compdef _cre cre
fi
