#include "queue/sqlite/store/standings.hpp"

#include "base/limits.hpp"
#include "mail/organisation.hpp"

#include <algorithm>
#include <utility>

namespace queue {
namespace {

using std::chrono::sys_days;

// Nothing came for so long, and nobody has said anything of it.
constexpr std::chrono::days kForgottenAfter{365};

/// Nothing if nobody has said anything, or what is there is damaged.
std::optional<PeerClass> to_class_by_hand(std::int64_t number) {
    for (const PeerClass each : {PeerClass::trusted, PeerClass::limited, PeerClass::blocked}) {
        if (number == static_cast<std::int64_t>(each)) return each;
    }
    return std::nullopt;
}

std::vector<std::pair<sys_days, PeerFigures>> read_days(Database& database,
                                                        const std::string& domain, sys_days today) {
    std::vector<std::pair<sys_days, PeerFigures>> days;
    Query find = database.query(
        "SELECT day, messages, recipients, unknown, refused, complaints FROM standing_day"
        " WHERE domain = ?1 AND day > ?2 ORDER BY day DESC"_sql);
    find.bind(domain, to_number(today) - PeerRecord::kDays);
    while (find.step())
        days.emplace_back(to_day(find.integer(0)),
                          PeerFigures{find.integer(1), find.integer(2), find.integer(3),
                                      find.integer(4), find.integer(5)});
    return days;
}

std::string organisation_of(const std::string& domain) {
    return mail::Organisation::of(domain).name();
}

std::optional<PeerClass> said_of(Database& database, const std::string& domain) {
    Query find = database.query("SELECT by_hand FROM standing WHERE domain = ?1"_sql);
    if (!find.bind(domain).step()) return std::nullopt;
    return to_class_by_hand(find.integer(0));
}

/// What is said against a registrable domain is said against all that its owner can make up.
std::optional<PeerClass> said_of_whole(Database& database, const std::string& domain) {
    const std::string organisation = organisation_of(domain);
    if (organisation == domain) return std::nullopt;
    const auto said = said_of(database, organisation);
    return said == PeerClass::trusted ? std::nullopt : said;
}

/// What is said of the line that `domain` is counted in holds for it, too, but for trust: that is
/// given to a name, and not to whatever its owner can make up.
std::optional<PeerClass> said_of_line(std::optional<PeerClass> said, const std::string& line,
                                      const mail::Domain& domain) {
    return said == PeerClass::trusted && line != domain.ascii() ? std::nullopt : said;
}

std::optional<PeerClass> listed(const Store& store, const mail::Domain& domain) {
    const auto listing = store.lists()->find(domain);
    return listing ? std::optional(listing->makes) : std::nullopt;
}

bool is_full(Database& database, const std::string& organisation) {
    Query count = database.query("SELECT COUNT(*) FROM standing WHERE organisation = ?1"_sql);
    return count.bind(organisation).step() && count.integer(0) >= kStandingsOfOrganisation;
}

bool has_line(Database& database, const std::string& domain) {
    Query find = database.query("SELECT 1 FROM standing WHERE domain = ?1"_sql);
    return find.bind(domain).step();
}

/// The line that `domain` has, or would have: of its organisation, if that has too many.
std::string line_for(Database& database, const std::string& domain) {
    if (has_line(database, domain)) return domain;
    std::string organisation = organisation_of(domain);
    return organisation != domain && is_full(database, organisation) ? organisation : domain;
}

StandingCache::Entry load(Database& database, const std::string& domain, sys_days today) {
    StandingCache::Entry entry{false, PeerRecord(today, today)};
    {
        Query find = database.query("SELECT since, by_hand FROM standing WHERE domain = ?1"_sql);
        if (find.bind(domain).step()) {
            entry.has_row = true;
            entry.past = PeerRecord(today, to_day(find.integer(0)));
            entry.past.by_hand = to_class_by_hand(find.integer(1));
        }
    }
    if (!entry.past.by_hand) entry.past.by_hand = said_of_whole(database, domain);
    if (!entry.has_row) return entry;
    for (const auto& [day, figures] : read_days(database, domain, today)) {
        if (day != today) {
            entry.past.add(day, figures);
            continue;
        }
        entry.has_today = true;
        entry.today = figures;
    }
    return entry;
}

StandingCache::Entry& entry_of(Store& store, const std::string& domain, sys_days today) {
    if (auto* const known = store.standings().find(domain, today)) return *known;
    return store.standings().put(domain, load(store.database(), domain, today));
}

/// What entry_of() has for the line that `domain` is counted in, and its name.
std::pair<std::string, StandingCache::Entry*> line_of(Store& store, const std::string& domain,
                                                      sys_days today) {
    auto& entry = entry_of(store, domain, today);
    if (entry.has_row) return {domain, &entry};
    std::string line = line_for(store.database(), domain);
    auto* const of_line = line == domain ? &entry : &entry_of(store, line, today);
    return {std::move(line), of_line};
}

void clear_cache(Store& store) {
    store.standings().clear();
    store.if_undone([&store] { store.standings().clear(); });
}

/// The line of `domain` is another one now, and there are `more` of them.
void note_change(Store& store, const std::string& domain, int more) {
    StandingCache& cache = store.standings();
    cache.forget(domain);
    if (cache.rows) *cache.rows += more;
    store.if_undone([&cache, domain] {
        cache.forget(domain);
        cache.rows.reset();
    });
}

std::int64_t count_lines(Store& store) {
    auto& rows = store.standings().rows;
    if (!rows) {
        Query count = store.database().query("SELECT COUNT(*) FROM standing"_sql);
        count.step();
        rows = count.integer(0);
    }
    return *rows;
}

void remove_line(Store& store, const std::string& domain) {
    for (const Sql sql : {"DELETE FROM standing_day WHERE domain = ?1"_sql,
                          "DELETE FROM standing WHERE domain = ?1"_sql}) {
        Query remove = store.database().query(sql);
        remove.bind(domain).run();
    }
    note_change(store, domain, -1);
}

/// False if there are only those that somebody has said something of.
bool make_room_in_book(Store& store) {
    if (count_lines(store) < kStandings) return true;
    std::string worst;
    {
        Query find = store.database().query(
            "SELECT domain FROM standing WHERE by_hand = 0 ORDER BY (days > 2), last_day LIMIT 1"_sql);
        if (!find.step()) return false;
        worst = find.text(0);
    }
    remove_line(store, worst);
    return true;
}

bool add_line(Store& store, const std::string& domain, sys_days today,
              std::optional<PeerClass> by_hand) {
    if (!make_room_in_book(store)) return false;
    Query insert = store.database().query(
        "INSERT INTO standing (domain, since, last_day, days, organisation, by_hand, set_at)"
        " VALUES (?1, ?2, ?2, 0, ?3, ?4, ?5)"_sql);
    insert
        .bind(domain, to_number(today), organisation_of(domain),
              static_cast<int>(by_hand.value_or(PeerClass::none)),
              by_hand ? to_millis(store.now()) : 0)
        .run();
    note_change(store, domain, 1);
    return true;
}

/// To those of the day.
void add_figures(Database& database, const std::string& domain, sys_days day,
                 const PeerFigures& figures) {
    Query add = database.query(
        "INSERT INTO standing_day (domain, day, messages, recipients, unknown, refused, complaints)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (domain, day) DO UPDATE SET"
        " messages = messages + ?3, recipients = recipients + ?4, unknown = unknown + ?5,"
        " refused = refused + ?6, complaints = complaints + ?7"_sql);
    add.bind(domain, to_number(day), figures.messages, figures.recipients, figures.unknown,
             figures.refused, figures.complaints)
        .run();
}

struct CountedDay {
    std::string domain;
    sys_days day;
    PeerFigures figures;
};

/// They were written while the clock was ahead, and believed.
int bring_back_days_to_come(Store& store, sys_days today) {
    std::vector<CountedDay> found;
    {
        Query find = store.database().query(
            "SELECT domain, day, messages, recipients, unknown, refused, complaints"
            " FROM standing_day WHERE day > ?1 ORDER BY day LIMIT ?2"_sql);
        find.bind(to_number(today), static_cast<std::int64_t>(base::limits::kPruned));
        while (find.step())
            found.push_back({find.text(0), to_day(find.integer(1)),
                             PeerFigures{find.integer(2), find.integer(3), find.integer(4),
                                         find.integer(5), find.integer(6)}});
    }
    for (const CountedDay& each : found) {
        {
            Query remove = store.database().query(
                "DELETE FROM standing_day WHERE domain = ?1 AND day = ?2"_sql);
            remove.bind(each.domain, to_number(each.day)).run();
        }
        add_figures(store.database(), each.domain, today, each.figures);
        Query correct = store.database().query(
            "UPDATE standing SET since = MIN(since, ?2), last_day = MIN(last_day, ?2)"
            " WHERE domain = ?1"_sql);
        correct.bind(each.domain, to_number(today)).run();
    }
    return static_cast<int>(found.size());
}

}  // namespace

std::int64_t to_number(sys_days day) {
    return day.time_since_epoch().count();
}
sys_days to_day(std::int64_t number) {
    return sys_days(std::chrono::days(number));
}

sys_days today_of(Store& store) {
    return day_of(store.clock_trust()->look().corrected(store.now()));
}

bool is_unknown_recipient(const mail::Reply& reply) {
    return reply.is_permanent() && reply.status == mail::EnhancedStatus{5, 1, 1};
}

void count_for_peer(Store& store, const mail::Domain& domain, const PeerFigures& figures) {
    if (figures.is_nothing()) return;
    const sys_days today = today_of(store);
    auto [line, entry] = line_of(store, domain.ascii(), today);
    if (!entry->has_row) {
        if (!add_line(store, line, today, std::nullopt)) return;
        entry = &entry_of(store, line, today);
    }
    store.if_undone([&store, name = line] { store.standings().forget(name); });
    add_figures(store.database(), line, today, figures);
    if (!entry->has_today) {
        Query note = store.database().query(
            "UPDATE standing SET days = days + 1, last_day = ?2 WHERE domain = ?1"_sql);
        note.bind(line, to_number(today)).run();
    }
    entry->has_today = true;
    entry->today += figures;
}

void take_back_complaint(Store& store, const mail::Domain& domain, sys_days day) {
    const std::string line = line_for(store.database(), domain.ascii());
    Query less = store.database().query(
        "UPDATE standing_day SET complaints = complaints - 1"
        " WHERE domain = ?1 AND day = ?2 AND complaints > 0"_sql);
    less.bind(line, to_number(day)).run();
    note_change(store, line, 0);
}

PeerRecord record_of_peer(Store& store, const mail::Domain& domain) {
    const auto [line, entry] = line_of(store, domain.ascii(), today_of(store));
    PeerRecord record = entry->record();
    record.by_hand = said_of_line(record.by_hand, line, domain);
    if (!record.by_hand) record.listed = listed(store, domain);
    return record;
}

PeerClass class_of_peer(Store& store, const mail::Domain& domain) {
    return class_of(record_of_peer(store, domain));
}

base::Result<Nothing> set_peer_class(Store& store, const mail::Domain& domain,
                                     std::optional<PeerClass> by_hand) {
    const std::string& name = domain.ascii();
    if (!has_line(store.database(), name)) {
        if (!by_hand)
            return base::fail(base::Errc::not_found, name + ": nothing is known of this domain");
        if (!add_line(store, name, today_of(store), by_hand))
            return base::fail(base::Errc::limit,
                              "the peer book is full of domains whose class was given by hand");
        // Domains below it may be of that class now.
        clear_cache(store);
        return Nothing();
    }
    {
        Query set = store.database().query(
            "UPDATE standing SET by_hand = ?2, set_at = ?3 WHERE domain = ?1"_sql);
        set.bind(name, static_cast<int>(by_hand.value_or(PeerClass::none)),
                 by_hand ? to_millis(store.now()) : 0)
            .run();
    }
    {
        // It was there for this only.
        Query remove = store.database().query(
            "DELETE FROM standing WHERE domain = ?1 AND by_hand = 0 AND days = 0"_sql);
        remove.bind(name).run();
    }
    clear_cache(store);
    return Nothing();
}

base::Result<Nothing> forget_standing(Store& store, const mail::Domain& domain) {
    if (!has_line(store.database(), domain.ascii()))
        return base::fail(base::Errc::not_found,
                          domain.ascii() + ": nothing is known of this domain");
    remove_line(store, domain.ascii());
    clear_cache(store);
    return Nothing();
}

int prune_standings(Store& store) {
    if (!store.may_end_by_time()) return 0;
    const sys_days today = today_of(store);
    const auto most = static_cast<std::int64_t>(base::limits::kPruned);
    int done = bring_back_days_to_come(store, today);
    // A book that was lost to a wrong clock would stay so. Its days go before a domain does.
    const bool may_forget = store.may_forget_verdicts();
    if (may_forget) {
        Query days = store.database().query(
            "DELETE FROM standing_day WHERE (domain, day) IN"
            " (SELECT domain, day FROM standing_day WHERE day <= ?1 ORDER BY day LIMIT ?2)"_sql);
        days.bind(to_number(today) - PeerRecord::kDays, most).run();
        done = std::max(done, store.database().changes());
    }
    if (may_forget && done < most) {
        Query domains = store.database().query(
            "DELETE FROM standing WHERE domain IN (SELECT domain FROM standing WHERE by_hand = 0"
            " AND (days > 2) IN (0, 1) AND last_day < ?1 LIMIT ?2)"_sql);
        domains.bind(to_number(today - kForgottenAfter), most).run();
        done = std::max(done, store.database().changes());
    }
    if (done > 0) clear_cache(store);
    return done;
}

std::vector<Standing> list_standings(Database& database, sys_days today, const std::string& after,
                                     std::size_t most) {
    std::vector<Standing> found;
    {
        Query find = database.query(
            "SELECT domain, since, last_day, by_hand, set_at FROM standing WHERE domain > ?1"
            " ORDER BY domain LIMIT ?2"_sql);
        find.bind(after, static_cast<std::int64_t>(most));
        while (find.step()) {
            const sys_days since = to_day(find.integer(1));
            Standing standing{find.text(0), since, to_day(find.integer(2)),
                              PeerRecord(today, since)};
            standing.record.by_hand = to_class_by_hand(find.integer(3));
            if (standing.record.by_hand) standing.set_at = from_millis(find.integer(4));
            found.push_back(std::move(standing));
        }
    }
    for (Standing& standing : found) {
        if (!standing.record.by_hand)
            standing.record.by_hand = said_of_whole(database, standing.domain);
        for (const auto& [day, figures] : read_days(database, standing.domain, today))
            standing.record.add(day, figures);
    }
    return found;
}

std::optional<Standing> find_standing(Database& database, sys_days today,
                                      const mail::Domain& domain) {
    const std::string line = line_for(database, domain.ascii());
    std::optional<Standing> standing;
    {
        Query find = database.query(
            "SELECT since, last_day, by_hand, set_at FROM standing WHERE domain = ?1"_sql);
        if (!find.bind(line).step()) return std::nullopt;
        const sys_days since = to_day(find.integer(0));
        standing = Standing{line, since, to_day(find.integer(1)), PeerRecord(today, since)};
        standing->record.by_hand = to_class_by_hand(find.integer(2));
        if (standing->record.by_hand) standing->set_at = from_millis(find.integer(3));
    }
    if (!standing->record.by_hand) standing->record.by_hand = said_of_whole(database, line);
    standing->record.by_hand = said_of_line(standing->record.by_hand, line, domain);
    standing->days = read_days(database, line, today);
    for (const auto& [day, figures] : standing->days)
        standing->record.add(day, figures);
    return standing;
}

}  // namespace queue
