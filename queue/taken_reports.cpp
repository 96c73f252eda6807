#include "queue/taken_reports.hpp"

#include "base/limits.hpp"
#include "queue/log.hpp"
#include "queue/reports.hpp"
#include "queue/rows.hpp"

namespace queue {
namespace {

struct Reported {
    std::int64_t transfer = 0;
    QueueId message;
};

base::Result<Reported> find_transfer(Store& store, const PeerReport& report,
                                     const std::string& peer) {
    Query find = store.database().query(
        "SELECT number, message, peer FROM transfer WHERE id = ?1 AND domain = ?2");
    if (!find.bind(report.key.id, report.key.domain.ascii()).step())
        return base::fail(base::Errc::not_found,
                          "no transfer of ours is known as " + report.key.id);
    if (find.text(2) != peer)
        return base::fail(base::Errc::refused,
                          "transfer " + report.key.id + " did not go to " + peer);
    return Reported{find.integer(0), QueueId{find.integer(1)}};
}

/// False if it was here before.
base::Result<bool> insert_once(Store& store, const Reported& reported, std::uint32_t seq) {
    {
        Query insert =
            store.database().query("INSERT OR IGNORE INTO report (transfer, seq) VALUES (?1, ?2)");
        insert.bind(reported.transfer, static_cast<std::int64_t>(seq)).run();
        if (store.database().changes() == 0) return false;
    }
    Query count = store.database().query("SELECT COUNT(*) FROM report WHERE transfer = ?1");
    count.bind(reported.transfer).step();
    if (count.integer(0) > base::limits::kReportsOfTransfer)
        return base::fail(base::Errc::busy, "there were too many reports on the transfer");
    return true;
}

base::Result<Told> told_by(Store& store, const Reported& reported, const PeerReport::Line& line) {
    Query find = store.database().query(
        "SELECT address, notify, orcpt, state FROM recipient"
        " WHERE message = ?1 AND n = ?2 AND transfer = ?3");
    if (!find.bind(reported.message.value, static_cast<std::int64_t>(line.n), reported.transfer)
             .step())
        return base::fail(base::Errc::not_found,
                          "the transfer has no recipient " + std::to_string(line.n));
    const auto state = static_cast<State>(find.integer(3));
    if (!has_ended(state)) return base::fail(base::Errc::busy, "the transfer has no verdict yet");
    Told told{line.n, {}, notify_from_bits(find.integer(1))};
    told.reported.address = find.text(0);
    told.reported.orcpt = find.text(2);
    told.reported.action = line.action;
    told.reported.reply = line.reply;
    told.reported.remote_mta = line.mta;
    told.reported.final_address = line.final_address;
    told.reported.last_attempt = line.at;
    // A recipient of which its sender has heard already, as it has failed or expired here.
    if (state != State::relayed) told.notify = {.never = true};
    return told;
}

}  // namespace

base::Result<Woken> take_report(Store& store, const PeerReport& report, const std::string& peer) {
    const auto reported = find_transfer(store, report, peer);
    if (!reported) return reported.error();
    const auto is_new = insert_once(store, *reported, report.seq);
    if (!is_new) return is_new.error();
    if (!*is_new) return Woken();
    const auto row = read_message(store, reported->message);
    if (!row) return row.error();
    std::vector<Told> told;
    for (const PeerReport::Line& line : report.recipients) {
        auto each = told_by(store, *reported, line);
        if (!each) return each.error();
        const std::string what(mail::to_text(line.action));
        add_event(store, row->id, line.n, ("peer-" + what).c_str(),
                  line.reply.to_text() + " (" + (line.mta.empty() ? peer : line.mta) + ")");
        store.after_commit(
            [id = row->id, address = each->reported.address, what, peer, reply = line.reply] {
                log::peer_reported(id, address, what, reply, peer);
            });
        told.push_back(std::move(*each));
    }
    const auto where = add_report(store, *row, told);
    if (!where) return where.error();
    return *where ? Woken{**where} : Woken();
}

}  // namespace queue
