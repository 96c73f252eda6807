// lookup_keys(): by which keys Postfix looks for a domain in a table of fixed strings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace smtp_bridge {

/// Postfix looks up what the sender wrote, in lower case, and converts nothing. So a domain
/// (A-labels) has a key in A-labels, one in U-labels, and, if no more than two of its labels
/// differ, those with one of each. Not by any key: what is only equal after normalisation (NFD,
/// full width), and U-labels that the folding of cases makes another domain of (`ß`). At most 4;
/// never empty.
std::vector<std::string> lookup_keys(std::string_view domain);

}  // namespace smtp_bridge
