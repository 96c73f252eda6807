#include "smtp-bridge/server/data_reader.hpp"

namespace smtp_bridge {

std::size_t DataReader::feed(std::string_view input) {
    std::size_t at = 0;
    while (at < input.size() && state_ != State::done) {
        if (state_ != State::text) {
            step(input[at++]);
            continue;
        }
        // The fast way through plain text, which is nearly all there is.
        const std::size_t start = at;
        unsigned char seen = 0;
        for (; at < input.size(); ++at) {
            const char c = input[at];
            if (c == '\r' || c == '\n' || c == '\0') break;
            seen |= static_cast<unsigned char>(c);
        }
        seen_ |= seen;
        keep(input.substr(start, at - start));
        if (at < input.size()) step(input[at++]);
    }
    return at;
}

void DataReader::finish() {
    if (state_ == State::cr) fail(Fault::bare_cr);
    if (state_ == State::text) fail(Fault::unfinished);
    state_ = State::done;
}

void DataReader::step(char c) {
    switch (state_) {
        case State::line_start:
            if (c == '.' && framing_ == Framing::dots)
                state_ = State::dot;
            else
                text(c);
            break;
        case State::text:
            text(c);
            break;
        case State::cr:
            if (c == '\n') {
                keep("\r\n");
                state_ = State::line_start;
            } else {
                fail(Fault::bare_cr);
                text(c);
            }
            break;
        case State::dot:
            // RFC 5321 4.5.2: the dot goes, whatever follows it.
            if (c == '\r')
                state_ = State::dot_cr;
            else
                text(c);
            break;
        case State::dot_cr:
            if (c == '\n') {
                state_ = State::done;
            } else {
                fail(Fault::bare_cr);
                text(c);
            }
            break;
        case State::done:
            break;
    }
}

void DataReader::text(char c) {
    state_ = c == '\r' ? State::cr : State::text;
    if (c == '\r') return;
    if (c == '\n') fail(Fault::bare_lf);
    if (c == '\0') has_nul_ = true;
    seen_ |= static_cast<unsigned char>(c);
    keep({&c, 1});
}

void DataReader::keep(std::string_view bytes) {
    size_ += bytes.size();
    if (size_ > max_size_) fail(Fault::too_large);
    if (fault_ == Fault::none) content_.append(bytes);
}

void DataReader::fail(Fault fault) {
    if (fault_ != Fault::none) return;
    fault_ = fault;
    content_ = std::string();  // gives the memory back
}

}  // namespace smtp_bridge
