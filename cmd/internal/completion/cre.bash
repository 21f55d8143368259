# Completion of cre for bash 3.2 and later, also without the package
# bash-completion. It asks cre __complete, which starts nothing and reads nothing.

_cre() {
  local word candidate usage i n=0 widest=0 files=
  local -a words candidates usages
  # bash takes --flag=value for three words.
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if ((n > 0)) && [[ $word == = && ${words[n-1]} == -* || ${words[n-1]} == -*= ]]; then
      words[n-1]=${words[n-1]}$word
    else
      words[n++]=$word
    fi
  done
  n=0
  while IFS=$'\t' read -r candidate usage; do
    case $candidate in
      :0) files=yes ;;
      :*) ;;
      *)
        ((${#candidate} <= widest)) || widest=${#candidate}
        candidates[n]=$candidate usages[n++]=$usage
        ;;
    esac
  done <<<"$(command cre __complete "${words[@]}" </dev/null 2>/dev/null)"
  [[ $files ]] || compopt +o default 2>/dev/null
  COMPREPLY=("${candidates[@]}")
  # What each does can be shown only where bash lists them and inserts none.
  case ${COMP_TYPE-} in 33 | 63 | 64) ;; *) return ;; esac
  ((n > 1)) || return
  for ((i = 0; i < n; i++)); do
    [[ -z ${usages[i]} ]] || printf -v 'COMPREPLY[i]' '%-*s  (%s)' "$widest" "${candidates[i]}" "${usages[i]}"
    COMPREPLY[i]=${COMPREPLY[i]:0:${COLUMNS:-80} - 1}
  done
}
complete -o default -F _cre cre
