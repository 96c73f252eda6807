#include "app/servers/postfix_config.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace app {
namespace {

constexpr std::size_t kCommandField = 7;  // master(5): name, type, five settings, command

/// Reads lines of the form `name = value`.
void add_values(std::map<std::string, std::string>& values, std::string_view text) {
    for (const auto line : base::split(text, "\n")) {
        const auto sign = line.find(" =");
        if (sign == std::string_view::npos) continue;
        values[std::string(line.substr(0, sign))] = base::trim(line.substr(sign + 2));
    }
}

}  // namespace

bool PostfixService::has_port(std::uint16_t port) const {
    const std::string number = std::to_string(port);
    return type == "inet" && (name == number || name.ends_with(":" + number));
}

bool PostfixService::is_on_loopback() const {
    static constexpr std::array<std::string_view, 3> kLoopback{
        "127.0.0.1:", "localhost:", "[::1]:"};
    return type == "inet" && std::any_of(kLoopback.begin(), kLoopback.end(),
                                         [&](auto host) { return name.starts_with(host); });
}

PostfixConfig::PostfixConfig(std::string_view services, std::string_view overrides,
                             std::string_view main) {
    for (const auto line : base::split(services, "\n")) {
        const auto fields = base::split(line);
        if (fields.size() <= kCommandField) continue;
        services_.push_back(
            {std::string(fields[0]), std::string(fields[1]), std::string(fields[kCommandField])});
    }
    add_values(values_, main);
    add_values(values_, overrides);
}

const PostfixService* PostfixConfig::find(std::string_view name, std::string_view type) const {
    const auto found = std::find_if(services_.begin(), services_.end(), [&](const auto& service) {
        return service.name == name && service.type == type;
    });
    return found == services_.end() ? nullptr : &*found;
}

std::string PostfixConfig::value(const PostfixService& service,
                                 const std::string& parameter) const {
    const auto found = values_.find(service.text() + "/" + parameter);
    return found == values_.end() ? main_value(parameter) : found->second;
}

std::string PostfixConfig::main_value(const std::string& parameter) const {
    const auto found = values_.find(parameter);
    return found == values_.end() ? std::string() : found->second;
}

std::string without_warnings(std::string_view output) {
    std::string rest;
    for (const auto line : base::split(output, "\n")) {
        if (line.find(": warning: ") == std::string_view::npos) rest += std::string(line) + "\n";
    }
    return rest;
}

std::vector<std::string> split_postfix_list(std::string_view text) {
    std::vector<std::string> parts;
    std::string part;
    int depth = 0;
    const auto end_part = [&] {
        if (!part.empty()) parts.push_back(std::move(part));
        part.clear();
    };
    for (const char c : text) {
        if (c == '{') ++depth;
        if (c == '}') --depth;
        if (depth <= 0 && (c == ',' || c == ' ' || c == '\t')) {
            end_part();
        } else {
            part += c;
        }
    }
    end_part();
    return parts;
}

}  // namespace app
