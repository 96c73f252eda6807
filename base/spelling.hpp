// spelling: the word that was meant by one that is mistyped.
//
// Pure. Words are short and few: one of more than kLongestWord bytes is like no other.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace base {

inline constexpr std::size_t kLongestWord = 40;  ///< bytes; no word that we know is longer

/// How many letters have to be changed, added, left out, or swapped with their neighbour to make
/// the one word of the other; no letter is touched twice. In bytes. More than kLongestWord if
/// either word is longer than that.
std::size_t edits_between(std::string_view one, std::string_view other);

/// The candidate that takes the fewest edits, the first of those, if it takes few: one in a word
/// of up to three letters, two in a longer one. Empty if there is none.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

/// `; did you mean "held"?`, or nothing if no candidate is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace base
