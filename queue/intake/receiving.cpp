#include "queue/intake/receiving.hpp"

namespace queue {

using Known = KnownTransfer::State;

Effect open(KnownTransfer& known, const Opening& opening) {
    if (known.is_other(opening.peer, opening.digest)) return Effect::conflict;
    if (known.state != Known::unknown) return Effect::same;
    known.state = Known::open;
    known.peer = opening.peer;
    known.digest = opening.digest;
    known.size = opening.size;
    known.offset = 0;
    return Effect::changed;
}

Effect add(KnownTransfer& known, const std::string& peer, std::uint64_t offset,
           std::uint64_t bytes) {
    if (known.state != Known::open || known.peer != peer) return Effect::not_open;
    if (bytes > known.size || offset > known.size - bytes) return Effect::too_long;
    if (offset < known.offset) return Effect::same;
    if (offset > known.offset) return Effect::gap;
    known.offset += bytes;
    return Effect::changed;
}

Effect finish(KnownTransfer& known, const ReceivedTransfer& transfer) {
    if (known.is_other(transfer.peer, transfer.digest)) return Effect::conflict;
    if (known.state == Known::done || known.state == Known::aborted) return Effect::same;
    // A small transfer brings its content along, whatever has come of it in pieces before.
    if (known.state == Known::open && transfer.in_pieces && known.offset != known.size)
        return Effect::gap;
    if (known.state == Known::unknown && transfer.in_pieces) return Effect::not_open;
    known.state = Known::done;
    known.peer = transfer.peer;
    known.digest = transfer.digest;
    known.size = known.offset = 0;
    known.verdicts = transfer.verdicts;
    return Effect::changed;
}

Effect call_back(KnownTransfer& known, const Recall& recall) {
    if (known.is_other(recall.peer, recall.digest)) return Effect::conflict;
    if (known.state == Known::done || known.state == Known::aborted) return Effect::same;
    known = {};
    known.state = Known::aborted;
    known.peer = recall.peer;
    return Effect::changed;
}

}  // namespace queue
