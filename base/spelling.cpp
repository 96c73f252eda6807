#include "base/spelling.hpp"

#include <algorithm>
#include <array>

namespace base {

std::size_t edits_between(std::string_view one, std::string_view other) {
    if (std::max(one.size(), other.size()) > kLongestWord) return kLongestWord + 1;
    // The edits between the first letters of `one`, the two rows before included, and each start of
    // `other`.
    std::array<std::size_t, kLongestWord + 1> before{};
    std::array<std::size_t, kLongestWord + 1> last{};
    std::array<std::size_t, kLongestWord + 1> now{};
    for (std::size_t j = 0; j <= other.size(); ++j)
        now.at(j) = j;
    for (std::size_t i = 1; i <= one.size(); ++i) {
        before = last;
        last = now;
        now.at(0) = i;
        for (std::size_t j = 1; j <= other.size(); ++j) {
            const bool same = one[i - 1] == other[j - 1];
            std::size_t least = last.at(j - 1) + (same ? 0 : 1);
            least = std::min({least, last.at(j) + 1, now.at(j - 1) + 1});
            const bool swapped =
                i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
            if (swapped) least = std::min(least, before.at(j - 2) + 1);
            now.at(j) = least;
        }
    }
    return now.at(other.size());
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    constexpr std::size_t kShort = 3;  // letters: with two of them changed, any word is any other
    std::string_view found;
    std::size_t fewest = kLongestWord;
    for (const std::string_view candidate : candidates) {
        const std::size_t edits = edits_between(word, candidate);
        const std::size_t most = std::min(word.size(), candidate.size()) <= kShort ? 1 : 2;
        if (edits > most || edits >= fewest) continue;
        found = candidate;
        fewest = edits;
    }
    return found;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
    const std::string_view meant = nearest(word, candidates);
    return meant.empty() ? "" : "; did you mean \"" + std::string(meant) + "\"?";
}

}  // namespace base
