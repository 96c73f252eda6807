#include "queue/woken.hpp"

#include <algorithm>

namespace queue {

void add_all(Woken& all, const Woken& more) {
    for (const Destination& each : more) {
        if (std::ranges::find(all, each) == all.end()) all.push_back(each);
    }
}

}  // namespace queue
