// ListSections: what [lists] and the [dns-list ZONE] sections say.
//
// Tested by tests/unit/app/config/list_sections_test.cpp.
#pragma once

#include "app/config/sections.hpp"
#include "component/discovery/dns_list.hpp"
#include "queue/peer_class.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace app {

/// A file of domains, which is read by app/daemon/list_files.
struct ListFile {
    queue::PeerClass makes = queue::PeerClass::none;  ///< blocked, limited or trusted
    std::filesystem::path path;
};

class ListSections {
  public:
    /// Lists in the DNS: each costs a question for each domain.
    static constexpr std::size_t kDnsLists = 8;
    static constexpr std::size_t kFiles = 16;

    /// [lists], or [dns-list ZONE]; in whatever order. Nothing: it is good.
    std::optional<Fault> add(const Section& section);

    const std::vector<ListFile>& files() const { return files_; }
    const std::vector<component::DnsListSettings>& dns() const { return dns_; }

  private:
    std::optional<Fault> add_files(const Section& section);
    std::optional<Fault> add_dns(const Section& section);

    std::vector<ListFile> files_;
    std::vector<component::DnsListSettings> dns_;
};

}  // namespace app
