#include "component/protocol/payload_attributes.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace component {

void PayloadAttributes::fail(std::string why) const {
    if (why_.empty()) why_ = std::move(why);
}

void PayloadAttributes::only(std::initializer_list<std::string_view> names) const {
    for (const auto& attribute : attributes_) {
        if (attribute.xmlns.empty() && std::ranges::find(names, attribute.name) == names.end())
            fail("undefined attribute " + base::printable(attribute.name, 40));
    }
}

std::optional<std::string_view> PayloadAttributes::find(std::string_view name) const {
    for (const auto& attribute : attributes_) {
        if (attribute.xmlns.empty() && attribute.name == name) return attribute.value;
    }
    return std::nullopt;
}

std::string_view PayloadAttributes::required(std::string_view name) const {
    const auto value = find(name);
    if (!value) fail("the attribute " + std::string(name) + " is missing");
    return value.value_or(std::string_view());
}

std::uint64_t PayloadAttributes::number(std::string_view name, std::uint64_t most) const {
    const auto value = base::parse_number(required(name), most);
    if (!value) fail("the attribute " + std::string(name) + " is no number, or too large");
    return value ? *value : 0;
}

bool PayloadAttributes::flag(std::string_view name) const {
    const auto value = find(name);
    if (value && *value != "true" && *value != "false" && *value != "1" && *value != "0")
        fail("the attribute " + std::string(name) + " is neither true nor false");
    return value == "true" || value == "1";
}

}  // namespace component
