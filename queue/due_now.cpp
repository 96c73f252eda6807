#include "queue/due_now.hpp"

#include <algorithm>

namespace queue {

void add_all(DueNow& all, const DueNow& more) {
    for (const Destination& each : more) {
        if (std::ranges::find(all, each) == all.end()) all.push_back(each);
    }
}

}  // namespace queue
