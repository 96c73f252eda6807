#include "queue/ports.hpp"

namespace queue {

base::Task<base::Result<Committed<Receipt>>> Intake::accept(Arrival arrival) {
    std::vector<Arrival> one;
    one.push_back(std::move(arrival));
    auto answers = co_await accept_all(std::move(one));
    co_return std::move(answers.front());
}

}  // namespace queue
