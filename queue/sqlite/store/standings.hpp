// Standings: the peer book as rows: one for each domain that transfers came for and whose
// component was verified, and one for each day of it. Bounded, by organisation and in all; no day
// is kept for longer than it counts.
//
// Changes are made on the storage thread, in the transaction of what they are about; the questions
// are the reader's.
//
// Tested by tests/unit/queue/sqlite/store/standings_test.cpp.
#pragma once

#include "queue/ledger/peer_book.hpp"
#include "queue/sqlite/store/store.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace queue {

/// Lines of the book: some megabytes, with all their days some hundreds. Who is new makes room for
/// who is newer.
inline constexpr std::int64_t kStandings = 20'000;
/// Of one organisation; those beyond it are counted as one, under the registrable domain.
inline constexpr std::int64_t kStandingsOfOrganisation = 20;

/// As if the clock had not jumped: what is counted while it is wrong is counted where it belongs.
std::chrono::sys_days today_of(Store& store);
std::int64_t to_number(std::chrono::sys_days day);
std::chrono::sys_days to_day(std::int64_t number);

/// A mailbox that is not there (RFC 3463 3.2: X.1.1).
bool is_unknown_recipient(const mail::Reply& reply);

/// One statement, but for the first of a day.
void count_for_peer(Store& store, const mail::Domain& domain, const PeerFigures& figures);
/// A complaint that was counted on `day` counts no more.
void take_back_complaint(Store& store, const mail::Domain& domain, std::chrono::sys_days day);
/// Of what has been counted so far, this transaction included.
PeerRecord record_of_peer(Store& store, const mail::Domain& domain);
PeerClass class_of_peer(Store& store, const mail::Domain& domain);

/// As the operations say.
base::Result<Nothing> set_peer_class(Store& store, const mail::Domain& domain,
                                     std::optional<PeerClass> by_hand);
base::Result<Nothing> forget_standing(Store& store, const mail::Domain& domain);

/// A step: takes away days that count no more, and domains that nothing has come of for a year;
/// what was counted on days to come, as the clock was ahead, counts as today's. At most
/// limits::kPruned of each; how many of those that it found most of.
int prune_standings(Store& store);

/// As the questions say.
std::vector<Standing> list_standings(Database& database, std::chrono::sys_days today,
                                     const std::string& after, std::size_t most);
std::optional<Standing> find_standing(Database& database, std::chrono::sys_days today,
                                      const mail::Domain& domain);

}  // namespace queue
