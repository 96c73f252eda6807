// Complaint votes: what recipients here say of mail that came over XMPP. Storage thread.
//
// Tested by tests/unit/queue/ledger/complaints_test.cpp.
#pragma once

#include "queue/ledger/complaints.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

/// As CastVote says: the vote, the peer book, and what is to be told, in one transaction.
base::Result<Voted> cast_vote(Store& store, const CastVote& vote);

}  // namespace queue
