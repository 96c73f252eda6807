#include "queue/ledger/administration.hpp"

#include <array>
#include <string>
#include <utility>

namespace queue {
namespace {

constexpr std::array<std::pair<Verb, const char*>, 6> kVerbs{{{Verb::flush, "flush"},
                                                              {Verb::hold, "hold"},
                                                              {Verb::release, "release"},
                                                              {Verb::retry, "retry"},
                                                              {Verb::cancel, "cancel"},
                                                              {Verb::bounce, "bounce"}}};

}  // namespace

const char* to_text(Verb verb) {
    for (const auto& [known, word] : kVerbs) {
        if (known == verb) return word;
    }
    return "unknown";
}

base::Result<Verb> parse_verb(std::string_view word) {
    for (const auto& [verb, known] : kVerbs) {
        if (word == known) return verb;
    }
    return base::fail(base::Errc::syntax, "unknown verb \"" + std::string(word) + "\"");
}

bool Selection::is_everything() const {
    return ids.empty() && states.empty() && !lane && to.empty() && from.empty() && domain.empty() &&
           sender_domain.empty() && !before && !after;
}

}  // namespace queue
