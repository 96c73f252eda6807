#include "component/protocol/assurance.hpp"

namespace component {

const char* to_text(Assurance assurance) {
    switch (assurance) {
        case Assurance::pkix:
            return "pkix";
        case Assurance::dialback:
            return "dialback";
        case Assurance::none:
            return "none";
    }
    return "none";
}

std::optional<Assurance> parse_assurance(std::string_view word) {
    for (const Assurance each : {Assurance::pkix, Assurance::dialback, Assurance::none}) {
        if (word == to_text(each)) return each;
    }
    return std::nullopt;
}

}  // namespace component
