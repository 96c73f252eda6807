// check_mirror: how does a peer see us: our link, our component, our clock?
//
// Asks the daemon, which asks the peer over our components' links. What is wrong is what keeps mail
// of ours from being taken there, and can't be seen from here.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"

#include <string>
#include <vector>

#include <boost/json.hpp>

namespace app {

/// `peer`: the component that takes mail for `domain`. Asks for the domains of all components of
/// ours that are connected and in service, in a few requests at most. `status`: the daemon's.
void check_mirror(Findings& findings, const Config& config, const boost::json::object& status,
                  const std::string& domain, const std::string& peer);

struct MirrorLine {
    bool good = false;
    std::string text;
    bool operator==(const MirrorLine&) const = default;
};

/// What an answer of the peer of `domain` says, in the daemon's JSON (mirror_answers.hpp), of our
/// `component` and of `first`, in whose name it was asked.
std::vector<MirrorLine> mirror_lines(const std::string& domain, const std::string& component,
                                     const mail::Domain& first, const boost::json::object& answer);
/// What it says of itself: what it takes, and what its clock shows. Nothing if it has said nothing.
std::vector<MirrorLine> peer_lines(const std::string& domain, const boost::json::object& answer);

}  // namespace app
