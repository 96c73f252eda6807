# bash completion for packetboat(8); to /usr/share/bash-completion/completions/packetboat
# tests/package compares it with `packetboat --help`.

_packetboat() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local commands="serve setup check trace queue routes senders peers complaint promise retire resume off on backup restore version help"
    local general="--config --log-level --state-directory --control-socket --help --version"
    local filters="--domain --sender-domain --to --from --older --newer --state --lane"
    local word skip='' command='' verb='' options words=''
    COMPREPLY=()

    case $previous in
    --config | --control-socket | --socket | --state-directory)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --log-level) mapfile -t COMPREPLY < <(compgen -W "debug info warning error" -- "$current"); return ;;
    --state) mapfile -t COMPREPLY < <(compgen -W "queued leased deferred held" -- "$current"); return ;;
    --lane) mapfile -t COMPREPLY < <(compgen -W "xmpp local relay report" -- "$current"); return ;;
    --domain | --sender-domain | --to | --from | --older | --newer | --limit | --until | --recipient | --component) return ;;
    esac

    # The words that are neither options nor their values: a command, for some a second word, and what it is about.
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ $skip ]]; then skip=''; continue; fi
        case $word in
        --config | --log-level | --state-directory | --control-socket | --domain | --sender-domain | --to | --from | \
            --older | --newer | --state | --lane | --limit | --until | --recipient | --socket | --component) skip=1 ;;
        -*) ;;
        *)
            if [[ ! $command ]]; then command=$word
            else verb=${verb:-$word}
            fi
            ;;
        esac
    done

    options=$general
    case $command in
    '') words=$commands ;;
    setup) options="$general --domain --component --yes --print --undo --force --require-certificates" ;;
    trace | on) options="$general --json" ;;
    queue)
        general="$general --json"
        options=$general
        case $verb in
        '') words="list show flush hold release retry cancel bounce verify" ;;
        list) options="$general $filters --all --limit" ;;
        flush) options="$general $filters --all" ;;
        hold | release | retry | cancel | bounce) options="$general $filters --all" ;;
        verify) options="$general --repair" ;;
        esac
        ;;
    routes | senders)
        [[ $verb ]] || words="list forget"
        [[ $verb = forget ]] || options="$general --json"
        ;;
    help) [[ $verb ]] || words=$commands ;;
    peers)
        [[ $verb ]] || words="list show trust limit block unset forget"
        [[ $verb && $verb != list && $verb != show ]] || options="$general --json"
        ;;
    promise)
        [[ $verb ]] || words="list show forget ours"
        [[ $verb = forget ]] || options="$general --json"
        ;;
    complaint) options="$general --not-spam --recipient --socket" ;;
    off) options="$general --until --json" ;;
    backup | restore)
        if [[ ! $verb && $current != -* ]]; then
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
        fi
        ;;
    esac
    [[ $current != -* ]] || words=$options
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _packetboat packetboat
