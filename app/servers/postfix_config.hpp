// PostfixConfig: what Postfix's main.cf and master.cf say, read from the output of postconf(1).
//
// A value. Parsing never fails: what is not understood is left out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace app {

inline constexpr const char* kPostconf = "/usr/sbin/postconf";

/// A line of master.cf.
struct PostfixService {
    std::string name;     ///< `smtp`, `127.0.0.1:2526`, `pickup`
    std::string type;     ///< `inet`, `unix` ...
    std::string command;  ///< `smtpd`, `pickup`, `cleanup` ...

    /// As postconf(1) writes it: `127.0.0.1:2526/inet`.
    std::string text() const { return name + "/" + type; }
    /// Does it listen on this TCP port?
    bool has_port(std::uint16_t port) const;
    /// Does it listen where only this machine's own programs get?
    bool is_on_loopback() const;
};

class PostfixConfig {
  public:
    /// From what `postconf -M`, `postconf -P -x` and `postconf -x` (with the names of parameters)
    /// say.
    PostfixConfig(std::string_view services, std::string_view overrides, std::string_view main);

    const std::vector<PostfixService>& services() const { return services_; }
    /// The service of this name and type; nullptr if there is none.
    const PostfixService* find(std::string_view name, std::string_view type) const;
    /// A parameter as this service has it: master.cf's, else main.cf's, else "".
    std::string value(const PostfixService& service, const std::string& parameter) const;
    /// A parameter as main.cf has it.
    std::string main_value(const std::string& parameter) const;

  private:
    std::vector<PostfixService> services_;
    std::map<std::string, std::string>
        values_;  ///< `name/type/parameter`, or a parameter of main.cf
};

/// What a program of Postfix's says, without its warnings, as of a parameter that is set twice.
std::string without_warnings(std::string_view output);

/// A list of tables (or of restrictions) as its parts: `regexp:/a, pcre:{{/b c/ IGNORE}}` has two.
std::vector<std::string> split_postfix_list(std::string_view text);

}  // namespace app
