# fish completion for packetboat(8); to /usr/share/fish/vendor_completions.d/. tests/package compares it with
# `packetboat --help`.

set -l commands serve setup check trace queue routes senders peers complaint promise retire resume off on backup restore version help
set -l queue list show flush hold release retry cancel bounce verify
set -l peers list show trust limit block unset forget
set -l filtered list flush hold release retry cancel bounce

complete -c packetboat -f
complete -c packetboat -n "not __fish_seen_subcommand_from $commands" -a "$commands"
complete -c packetboat -n "__fish_seen_subcommand_from queue; and not __fish_seen_subcommand_from $queue" -a "$queue"
complete -c packetboat -n "__fish_seen_subcommand_from routes; and not __fish_seen_subcommand_from list forget" -a "list forget"
complete -c packetboat -n "__fish_seen_subcommand_from senders; and not __fish_seen_subcommand_from list forget" -a "list forget"
complete -c packetboat -n "__fish_seen_subcommand_from help" -a "$commands"
complete -c packetboat -n "__fish_seen_subcommand_from peers; and not __fish_seen_subcommand_from $peers" -a "$peers"
complete -c packetboat -n "__fish_seen_subcommand_from promise; and not __fish_seen_subcommand_from list show forget ours" \
    -a "list show forget ours"
complete -c packetboat -n "__fish_seen_subcommand_from backup restore" -F

complete -c packetboat -l config -r -F -d "the configuration file"
complete -c packetboat -l log-level -x -a "debug info warning error" -d "how much is logged"
complete -c packetboat -l state-directory -x -a "(__fish_complete_directories)" -d "the queue's folder"
complete -c packetboat -l control-socket -r -F -d "where the daemon is asked"
complete -c packetboat -l json -d "print JSON"
complete -c packetboat -l help -d "print a summary"
complete -c packetboat -l version -d "print the version"

set -l of_queue "__fish_seen_subcommand_from queue; and __fish_seen_subcommand_from $filtered"
complete -c packetboat -n $of_queue -l domain -x -d "the recipient's domain"
complete -c packetboat -n $of_queue -l sender-domain -x -d "the sender's domain"
complete -c packetboat -n $of_queue -l to -x -d "the recipient's address"
complete -c packetboat -n $of_queue -l from -x -d "the sender's address"
complete -c packetboat -n $of_queue -l older -x -d "waits longer than 90s, 5m, 4h"
complete -c packetboat -n $of_queue -l newer -x -d "waits for less"
complete -c packetboat -n $of_queue -l state -x -a "queued leased deferred held" -d "in this state"
complete -c packetboat -n $of_queue -l lane -x -a "xmpp local relay report" -d "by this way"
complete -c packetboat -n "__fish_seen_subcommand_from queue; and __fish_seen_subcommand_from list" -l limit -x -d "rows"
complete -c packetboat -n "__fish_seen_subcommand_from queue; and __fish_seen_subcommand_from hold release retry cancel bounce" \
    -l all -d "all mail that waits"
complete -c packetboat -n "__fish_seen_subcommand_from queue; and __fish_seen_subcommand_from verify" -l repair \
    -d "bring back what can be"

complete -c packetboat -n "__fish_seen_subcommand_from complaint" -l not-spam -d "takes a complaint back"
complete -c packetboat -n "__fish_seen_subcommand_from complaint" -l recipient -x -d "whose mailbox it is in"
complete -c packetboat -n "__fish_seen_subcommand_from complaint" -l socket -r -F -d "that of complaints"
complete -c packetboat -n "__fish_seen_subcommand_from off" -l until -x -d "for 2h, or until 2026-12-01T08:00:00Z"

set -l of_setup "__fish_seen_subcommand_from setup"
complete -c packetboat -n $of_setup -l domain -x -d "the mail domains, a comma between"
complete -c packetboat -n $of_setup -l component -x -d "the component's name"
complete -c packetboat -n $of_setup -l yes -d "asks nothing, and does it all"
complete -c packetboat -n $of_setup -l print -d "shows what would be written"
complete -c packetboat -n $of_setup -l undo -d "takes back what setup has written"
complete -c packetboat -n $of_setup -l force -d "undo: whatever waits in the queue"
complete -c packetboat -n $of_setup -l require-certificates -d "of other servers, for chat, too"
