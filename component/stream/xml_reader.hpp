// XmlReader: reads one XMPP stream with expat, and yields its header, its stanzas and its end.
//
// One reader for each connection. It owns the expat parser and what is being built; events are
// collected and taken after expat has returned, so that nothing is ever freed inside one of its
// callbacks. Bytes, depth, attributes and elements are bounded before anything is built for them: a
// stanza beyond these bounds is skipped as it comes, and is one RefusedStanza. Event loop only. A
// stream that breaks XML (RFC 6120 11.3) or UTF-8 (RFC 6120 11.6), RFC 6120 11.1 (doctype, entity,
// processing instruction, comment), or the far larger bounds of what can be skipped, fails once and
// for all: Errc::protocol or Errc::limit.
#pragma once

#include "base/limits.hpp"
#include "base/result.hpp"
#include "component/protocol/transfer_parser.hpp"
#include "component/stream/iq_head.hpp"
#include "component/xml/whole_tags.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gloox/tag.h>

struct XML_ParserStruct;

namespace component {

/// Bytes of a stanza that is skipped: servers write up to six octets for one that a stranger sent
/// (`&quot;`), and more where they write a namespace anew. Skipping needs no memory ...
inline constexpr std::size_t kSkipped = 64 * base::limits::kStanza;
/// ... but for open elements, which expat remembers: a level takes three bytes (`<a>`), so that no
/// server's limit allows more.
inline constexpr std::size_t kSkippedDepth = base::limits::kStanza / 3;

struct StreamOpened {
    std::string id;
    std::string from;
};
/// Any stanza but those of TransferStanza. Of an IQ of type error only <error/> is kept.
struct TagStanza {
    std::unique_ptr<gloox::Tag> tag;
};
/// The fast lane: an IQ (set, get or result) whose payload is one of the transfer protocol; no Tag
/// was built.
struct TransferStanza {
    IqHead head;
    TransferPayload payload;
};
/// A stanza beyond the bounds of size, depth, attributes or elements: what was over was not built.
/// Servers pass such stanzas from anybody, so that it must not cost the stream.
struct RefusedStanza {
    std::string name;
    IqHead head;
    std::string why;
};
struct StreamClosed {};
using XmlEvent = std::variant<StreamOpened, TagStanza, TransferStanza, RefusedStanza, StreamClosed>;

class XmlReader {
  public:
    struct Limits {
        // Beyond these a stanza is refused.
        std::size_t stanza = base::limits::kStanza;  ///< bytes
        std::size_t tag = base::limits::kStanza;     ///< bytes
        std::size_t depth = base::limits::kXmlDepth;
        std::size_t attributes = base::limits::kXmlAttributes;
        std::size_t elements = base::limits::kXmlElements;
        // Beyond these the stream fails.
        std::size_t skipped = kSkipped;  ///< bytes of a stanza
        std::size_t skipped_depth = kSkippedDepth;
    };
    XmlReader();
    explicit XmlReader(Limits limits);
    ~XmlReader();
    XmlReader(const XmlReader&) = delete;
    XmlReader& operator=(const XmlReader&) = delete;

    /// Room for `size` bytes, until the next call; then parse(), with as many as were written
    /// there.
    std::span<char> buffer(std::size_t size);
    base::Result<void> parse(std::size_t size);
    /// Both, for bytes that are somewhere else.
    base::Result<void> parse(std::string_view bytes);
    /// The events since the last call.
    std::vector<XmlEvent> take_events();

  private:
    struct Callbacks;
    struct Name {
        std::string_view xmlns;
        std::string_view local;
    };
    static Name split(const char* name);

    void start(const char* name, const char** attributes);
    void end();
    void text(std::string_view text);
    void start_root(Name name);
    void start_stanza(Name name);
    void start_child(Name name);
    void end_stanza();
    void push_tag(Name name);
    void flush_text();
    void refuse(const char* why);
    void leave_out(const char* why);
    void fail(base::Errc code, std::string why);
    void mark_seen();
    void mark_progress() { progress_ = seen_; }
    bool is_too_large() const { return seen_ - progress_ > limits_.stanza; }
    void parse_piece(std::string_view bytes);

    std::unique_ptr<XML_ParserStruct, void (*)(XML_ParserStruct*)> parser_;
    Limits limits_;
    std::optional<base::Error> error_;
    std::vector<XmlEvent> events_;
    WholeTags tags_;
    std::vector<char> room_;    ///< of buffer()
    std::size_t fed_ = 0;       ///< bytes of the stream so far
    std::size_t passed_ = 0;    ///< of these, what is no unfinished tag
    std::size_t left_out_ = 0;  ///< of these, what expat has not seen
    std::size_t seen_ = 0;      ///< where the last tag or piece of text ended
    std::size_t progress_ = 0;  ///< where the last complete thing outside of stanzas ended
    std::size_t depth_ = 0;     ///< of open elements, the stream included
    std::size_t elements_ = 0;  ///< of the stanza
    std::size_t skip_ = 0;      ///< depth of the subtree that is left out; 0: none
    std::string excess_;        ///< why the stanza is refused; empty: it is not
    std::vector<XmlAttribute> attributes_;
    std::unique_ptr<gloox::Tag> stanza_;
    std::vector<gloox::Tag*> path_;
    std::string
        text_;  ///< of the innermost Tag; expat gives it in pieces of as little as one octet
    std::unique_ptr<PayloadParser> transfer_;
    std::size_t children_ = 0;  ///< of the stanza
};

}  // namespace component
