#include "queue/sqlite/notify/outgoing_complaints.hpp"

#include "queue/sqlite/store/new_message.hpp"
#include "queue/sqlite/store/standings.hpp"

#include <algorithm>

namespace queue {
namespace {

constexpr std::size_t kLookedAt = 100;  // rows of one step

struct Pending {
    std::int64_t number = 0;
    std::string peer;
    std::string component;
    Complaint complaint;
    base::TimePoint due;
    bool is_old = false;  ///< its origin would not take it any more
};

std::vector<Pending> read_pending(Store& store, const ComplaintPlace& behind) {
    std::vector<Pending> found;
    Query find = store.database().query(
        "SELECT number, peer, component, id, domain, votes, due_at, at FROM received_transfer"
        " WHERE due_at IS NOT NULL AND (peer, component, number) > (?1, ?2, ?3)"
        " ORDER BY peer, component, number LIMIT ?4"_sql);
    find.bind(behind.peer, behind.component, behind.number, static_cast<std::int64_t>(kLookedAt));
    while (find.step()) {
        auto domain = mail::Domain::parse(find.text(4));
        if (!domain) continue;  // a row that can't be read, and ages like the others
        found.push_back({find.integer(0), find.text(1), find.text(2),
                         Complaint{{std::move(*domain), find.text(3)}, find.integer(5) > 0},
                         from_millis(find.integer(6)),
                         from_millis(find.integer(7)) + kComplaintTime < store.now()});
    }
    return found;
}

/// Who is told: a domain that has sent for some time. Others would learn who reads their mail.
/// That there are complaints must not keep them back: one makes a small domain poor.
bool may_be_told(Store& store, const mail::Domain& domain) {
    const PeerClass of = class_of(record_of_peer(store, domain).without_complaints());
    return of == PeerClass::known || of == PeerClass::good || of == PeerClass::trusted;
}

void note_told(Store& store, const Pending& pending) {
    Query note = store.database().query(
        "UPDATE received_transfer SET told = ?2, due_at = NULL WHERE number = ?1"_sql);
    note.bind(pending.number, pending.complaint.is_spam ? 1 : 2).run();
}

/// Of one peer, as a message to it.
base::Result<Destination> insert_batch(Store& store, const Pending& any,
                                       const std::vector<Complaint>& complaints) {
    const auto address = mail::Mailbox::parse("postmaster@" + any.complaint.key.domain.ascii());
    if (!address) return address.error();
    Arrival arrival;
    arrival.content = mail::Content(encode(complaints));
    arrival.envelope.recipients.push_back({0, *address, {.never = true}, ""});
    arrival.origin = {Origin::Kind::internal, "complaints", "", std::nullopt, ""};
    arrival.expires_at = store.latest_now() + kComplaintTime;
    const Destination where{Lane::report, any.component, any.peer};
    arrival.destinations.push_back(where);
    const auto id = insert_message(store, arrival);
    if (!id) return id.error();
    return where;
}

}  // namespace

base::Result<ComplaintStep> queue_complaints(Store& store, const QueueComplaints& op) {
    ComplaintStep step;
    ComplaintPlace place = op.behind;
    const auto pending = read_pending(store, place);
    std::vector<Complaint> batch;
    for (std::size_t i = 0; i < pending.size(); ++i) {
        const Pending& each = pending[i];
        if (each.peer != place.peer) place.of_peer = 0;
        place = {each.peer, each.component, each.number, place.of_peer};
        const bool goes = each.due <= op.until && !each.is_old &&
                          place.of_peer < kComplaintsToPeer &&
                          may_be_told(store, each.complaint.key.domain);
        if (goes) {
            note_told(store, each);
            batch.push_back(each.complaint);
            ++place.of_peer;
        }
        const bool is_last = i + 1 == pending.size() || pending[i + 1].peer != each.peer ||
                             pending[i + 1].component != each.component;
        if (!is_last || batch.empty()) continue;
        const auto where = insert_batch(store, each, batch);
        if (!where) return where.error();
        add_all(step.due_now, {*where});
        batch.clear();
    }
    if (pending.size() >= kLookedAt) step.next = place;
    return step;
}

}  // namespace queue
