// LogLines: what is logged while it lives.
#pragma once

#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace support {

class LogLines {
  public:
    LogLines() : sink_(std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)) {
        sink_->set_pattern("%v");
        spdlog::default_logger()->sinks().push_back(sink_);
    }
    ~LogLines() { spdlog::default_logger()->sinks().pop_back(); }
    LogLines(const LogLines&) = delete;
    LogLines& operator=(const LogLines&) = delete;

    /// How many lines tell of `event`.
    int count(std::string_view event) const {
        int found = 0;
        std::istringstream lines(text_.str());
        for (std::string line; std::getline(lines, line);)
            found += line.starts_with("event=" + std::string(event) + " ") ? 1 : 0;
        return found;
    }

  private:
    std::ostringstream text_;
    std::shared_ptr<spdlog::sinks::ostream_sink_mt> sink_;
};

}  // namespace support
