// ListAnswers: what the addresses mean by which a list in the DNS answers (RFC 5782 3).
// Pure.
//
// An answer outside of 127.0.0.0/8 lists nothing: a zone that has died, or was sold, answers
// everything with the address of a web server. By 127.255.255.0/24 lists say that something is
// wrong with the question, and some by 127.0.0.1: whoever took that for a listing would block
// everybody.
//
// Tested by tests/unit/component/discovery/list_answers_test.cpp.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace component {

class ListAnswers {
  public:
    enum class Meaning : std::uint8_t {
        absent,
        listed,
        fault,  ///< the list does not work, for us at least
    };

    /// Any address in 127.0.0.0/8 that is no error lists.
    ListAnswers() = default;
    /// Only these list: addresses in 127.0.0.0/8, and networks such as 127.0.1.0/24. Errc::syntax.
    static base::Result<ListAnswers> parse(const std::vector<std::string>& words);

    /// Of all addresses of one answer; none: absent.
    Meaning of(const std::vector<std::uint32_t>& addresses) const;
    bool operator==(const ListAnswers&) const = default;

  private:
    struct Network {
        std::uint32_t address = 0;
        std::uint32_t mask = 0;
        bool contains(std::uint32_t other) const { return (other & mask) == address; }
        bool operator==(const Network&) const = default;
    };
    static base::Result<Network> parse_network(const std::string& word);
    bool lists(std::uint32_t address) const;

    std::vector<Network> networks_;  ///< empty: all
};

}  // namespace component
