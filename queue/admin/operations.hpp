// Operations: what an administrator does with mail that is in the queue.
//
// In steps of limits::kOperated recipients, each step a transaction, so that mail gets its turn.
// What is being delivered at that moment is passed over, and counted. Storage thread.
#pragma once

#include "queue/admin/selection.hpp"
#include "queue/woken.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace queue {

enum class Verb : std::uint8_t {
    flush,  ///< what waits is due now
    hold,   ///< what waits is not tried until it is released
    /// What is held is due now; from quarantine only if it can be read again, and all of a message.
    release,
    retry,   ///< routes anew what was never sent, and makes it due now
    cancel,  ///< ends it; nobody is told
    bounce,  ///< ends it; its sender is told
};
const char* to_text(Verb verb);
/// Errc::syntax for another word.
base::Result<Verb> parse_verb(std::string_view word);

struct Operated {
    std::int64_t changed = 0;
    std::int64_t at_work = 0;  ///< passed over: being delivered now
    std::int64_t other = 0;    ///< passed over: not in a state that the verb is for
    std::int64_t unclear = 0;  ///< of `changed`: ended though its delivery can't be excluded
    std::vector<std::string> refused;  ///< one line each, at most a few: why it can't be done
    Woken touched;                     ///< destinations that have got something to do
    std::optional<Selected> next;      ///< go on behind this; nothing: that was all
};

/// One step of `verb`, behind `after` (nothing: from the start).
base::Result<Operated> operate(Store& store, Verb verb, const Selection& selection,
                               const std::optional<Selected>& after);

}  // namespace queue
