// DataReader: reads the message behind DATA up to its end, which is CRLF.CRLF and nothing else, or
// the octets of BDAT, whose number says where the end is.
//
// A pure state machine that may be fed in pieces cut anywhere. It owns the bytes that it has read
// until they are taken. A bare CR or a bare LF never ends a message and is never repaired: the
// message is read to its real end and then refused, so that no two programs on the way can see two
// different ends ("SMTP smuggling"; RFC 5321 2.3.8). A NUL is an octet like any other
// (RFC 5321 4.5.2), and noted, as not every way can carry it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace smtp_bridge {

class DataReader {
  public:
    enum class Fault : std::uint8_t { none, bare_cr, bare_lf, too_large, unfinished };
    /// How a message comes: with dots stuffed and one at its end, or counted (RFC 3030 2).
    enum class Framing : std::uint8_t { dots, counted };

    /// `max_size`: octets, counted without the stuffed dots and the final dot (RFC 1870 5).
    explicit DataReader(std::size_t max_size, Framing framing = Framing::dots)
        : max_size_(max_size), framing_(framing) {}

    /// Returns how many bytes belong to the message; less than given only when done().
    std::size_t feed(std::string_view input);
    /// Framing::counted: that was all. A last line without CR LF is a fault, as it could not go on
    /// by DATA as it is.
    void finish();

    bool done() const { return state_ == State::done; }
    /// The first thing that was wrong; the bytes are dropped from then on.
    Fault fault() const { return fault_; }
    /// Octets of the message so far, kept or not.
    std::uint64_t size() const { return size_; }
    /// True if an octet with the high bit was seen.
    bool eight_bit() const { return (seen_ & 0x80) != 0; }
    bool has_nul() const { return has_nul_; }
    /// What is expected, to allocate once.
    void reserve(std::size_t bytes) { content_.reserve(bytes); }
    /// Bytes of the message that are here and not taken.
    std::size_t pending() const { return content_.size(); }
    /// Those bytes: the message, or what goes on behind what was taken before. It is whole, and
    /// good, only when done() without a fault.
    std::string take() { return std::exchange(content_, {}); }

  private:
    enum class State : std::uint8_t {
        line_start,  ///< behind CRLF, or at the very start
        text,
        cr,      ///< behind a CR
        dot,     ///< behind a dot at the start of a line; it is not part of the message
        dot_cr,  ///< behind that and CR
        done,
    };

    void step(char c);
    void text(char c);
    void keep(std::string_view bytes);
    void fail(Fault fault);

    std::size_t max_size_;
    Framing framing_;
    State state_ = State::line_start;
    Fault fault_ = Fault::none;
    std::uint64_t size_ = 0;
    unsigned char seen_ = 0;
    bool has_nul_ = false;
    std::string content_;
};

}  // namespace smtp_bridge
