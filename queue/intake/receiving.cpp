#include "queue/intake/receiving.hpp"

namespace queue {

using Known = KnownTransfer::State;

Turn open(KnownTransfer& known, const Opening& opening) {
    if (known.is_other(opening.peer, opening.digest)) return Turn::conflict;
    if (known.state != Known::unknown) return Turn::same;
    known.state = Known::open;
    known.peer = opening.peer;
    known.digest = opening.digest;
    known.size = opening.size;
    known.offset = 0;
    return Turn::changed;
}

Turn add(KnownTransfer& known, const std::string& peer, std::uint64_t offset, std::uint64_t bytes) {
    if (known.state != Known::open || known.peer != peer) return Turn::not_open;
    if (bytes > known.size || offset > known.size - bytes) return Turn::too_long;
    if (offset < known.offset) return Turn::same;
    if (offset > known.offset) return Turn::gap;
    known.offset += bytes;
    return Turn::changed;
}

Turn finish(KnownTransfer& known, const ReceivedTransfer& transfer) {
    if (known.is_other(transfer.peer, transfer.digest)) return Turn::conflict;
    if (known.state == Known::done || known.state == Known::aborted) return Turn::same;
    // A small transfer brings its content along, whatever has come of it in pieces before.
    if (known.state == Known::open && transfer.in_pieces && known.offset != known.size)
        return Turn::gap;
    if (known.state == Known::unknown && transfer.in_pieces) return Turn::not_open;
    known.state = Known::done;
    known.peer = transfer.peer;
    known.digest = transfer.digest;
    known.size = known.offset = 0;
    known.verdicts = transfer.verdicts;
    return Turn::changed;
}

Turn call_back(KnownTransfer& known, const Recall& recall) {
    if (known.is_other(recall.peer, recall.digest)) return Turn::conflict;
    if (known.state == Known::done || known.state == Known::aborted) return Turn::same;
    known = {};
    known.state = Known::aborted;
    known.peer = recall.peer;
    return Turn::changed;
}

}  // namespace queue
