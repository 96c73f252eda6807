#include "component/stream/xml_reader.hpp"

#include "component/stream/stanza.hpp"
#include "component/xml/namespaces.hpp"

#include <new>

#include <expat.h>

namespace component {
namespace {

constexpr char kSeparator = '\x1F';  // between namespace and name; no XML can contain it
constexpr const char* kTooLarge = "a stanza is too large";
constexpr const char* kFarTooLarge = "a stanza is far too large";

}  // namespace

/// What expat calls. Nothing may be thrown through it, so that running out of memory ends the
/// process.
struct XmlReader::Callbacks {
    static XmlReader& reader(void* data) { return *static_cast<XmlReader*>(data); }

    static void start(void* data, const char* name, const char** attributes) noexcept {
        if (!reader(data).error_) reader(data).start(name, attributes);
    }
    static void end(void* data, const char*) noexcept {
        if (!reader(data).error_) reader(data).end();
    }
    static void text(void* data, const char* text, int size) noexcept {
        if (!reader(data).error_) reader(data).text({text, static_cast<std::size_t>(size)});
    }
    static void doctype(void* data, const char*, const char*, const char*, int) noexcept {
        reader(data).fail(base::Errc::protocol, "the stream has a document type");
    }
    static void entity(void* data, const char*, int, const char*, int, const char*, const char*,
                       const char*, const char*) noexcept {
        reader(data).fail(base::Errc::protocol, "the stream declares an entity");
    }
    static void instruction(void* data, const char*, const char*) noexcept {
        reader(data).fail(base::Errc::protocol, "the stream has a processing instruction");
    }
    static void comment(void* data, const char*) noexcept {
        reader(data).fail(base::Errc::protocol, "the stream has a comment");
    }
};

XmlReader::XmlReader() : XmlReader(Limits()) {}

XmlReader::XmlReader(Limits limits)
    : parser_(XML_ParserCreateNS("UTF-8", kSeparator), &XML_ParserFree),
      limits_(limits),
      tags_(limits.tag) {
    if (!parser_) throw std::bad_alloc();
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), &Callbacks::start, &Callbacks::end);
    XML_SetCharacterDataHandler(parser_.get(), &Callbacks::text);
    XML_SetStartDoctypeDeclHandler(parser_.get(), &Callbacks::doctype);
    XML_SetEntityDeclHandler(parser_.get(), &Callbacks::entity);
    XML_SetProcessingInstructionHandler(parser_.get(), &Callbacks::instruction);
    XML_SetCommentHandler(parser_.get(), &Callbacks::comment);
#ifdef PACKETBOAT_REPARSE_DEFERRAL
    // A stream must not wait for more bytes with a complete stanza in hand; that expat sees whole
    // tags only is what keeps repeated attempts at one long token cheap.
    XML_SetReparseDeferralEnabled(parser_.get(), XML_FALSE);
#endif
}

XmlReader::~XmlReader() = default;

std::span<char> XmlReader::buffer(std::size_t size) {
    room_.resize(size);
    return room_;
}

base::Result<void> XmlReader::parse(std::size_t size) {
    return parse(std::string_view(room_.data(), size));
}

base::Result<void> XmlReader::parse(std::string_view bytes) {
    if (error_) return *error_;
    fed_ += bytes.size();
    for (const auto& piece : tags_.take(bytes)) {
        passed_ += piece.bytes.size() + piece.left_out;
        if (piece.left_out > 0) {
            if (depth_ == 0) fail(base::Errc::limit, "a tag is too large");
            if (passed_ - progress_ > limits_.skipped) fail(base::Errc::limit, kFarTooLarge);
            refuse(kTooLarge);
        }
        parse_piece(piece.bytes);
        if (error_) return *error_;
        left_out_ += piece.left_out;
        seen_ += piece.left_out;
        if (piece.left_out > 0 && depth_ <= 1) mark_progress();  // it was a stanza
    }
    // What does not end makes no callback, so that the bounds are looked at here as well; and of a
    // stream's own header nothing is skipped.
    if (depth_ == 0 && fed_ - progress_ > limits_.tag)
        fail(base::Errc::limit, "a tag is too large");
    if (fed_ - progress_ > limits_.skipped) fail(base::Errc::limit, kFarTooLarge);
    if (error_) return *error_;
    return {};
}

void XmlReader::parse_piece(std::string_view bytes) {
    if (error_) return;
    const auto status =
        XML_Parse(parser_.get(), bytes.data(), static_cast<int>(bytes.size()), XML_FALSE);
    if (status != XML_STATUS_ERROR || error_) return;
    const auto* why = XML_ErrorString(XML_GetErrorCode(parser_.get()));
    fail(base::Errc::protocol, std::string("the stream is not XML: ") + why);
}

std::vector<XmlEvent> XmlReader::take_events() {
    return std::exchange(events_, {});
}

XmlReader::Name XmlReader::split(const char* name) {
    const std::string_view whole(name);
    const auto at = whole.rfind(kSeparator);
    if (at == std::string_view::npos) return {{}, whole};
    return {whole.substr(0, at), whole.substr(at + 1)};
}

void XmlReader::fail(base::Errc code, std::string why) {
    if (!error_) error_ = base::fail(code, std::move(why));
    XML_StopParser(parser_.get(), XML_FALSE);
}

void XmlReader::mark_seen() {
    seen_ = left_out_ + static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_.get())) +
            static_cast<std::size_t>(XML_GetCurrentByteCount(parser_.get()));
}

void XmlReader::start(const char* name, const char** attributes) {
    mark_seen();
    if (skip_ > 0) {
        if (++depth_ > limits_.skipped_depth)
            fail(base::Errc::limit, "elements are nested far too deeply");
        return;
    }
    if (depth_ >= 2 && is_too_large()) return leave_out(kTooLarge);
    if (depth_ >= limits_.depth) return leave_out("elements are nested too deeply");
    attributes_.clear();
    for (; *attributes != nullptr; attributes += 2) {
        if (attributes_.size() >= limits_.attributes) {
            if (depth_ == 0) return fail(base::Errc::limit, "too many attributes");
            refuse("too many attributes");
            break;
        }
        const auto attribute = split(attributes[0]);
        attributes_.push_back({attribute.xmlns, attribute.local, attributes[1]});
    }
    const Name element = split(name);
    if (depth_ >= 2 && ++elements_ > limits_.elements)
        return leave_out("a stanza has too many elements");
    ++depth_;
    if (depth_ == 1) return start_root(element);
    if (depth_ == 2) return start_stanza(element);
    start_child(element);
}

/// The first reason counts, so that the cuts between reads decide nothing.
void XmlReader::refuse(const char* why) {
    if (excess_.empty()) excess_ = why;
}

void XmlReader::leave_out(const char* why) {
    refuse(why);
    skip_ = ++depth_;
}

void XmlReader::start_root(Name name) {
    if (name.xmlns != ns::kStreams || name.local != "stream")
        return fail(base::Errc::protocol, "what the server speaks is no XMPP stream");
    StreamOpened opened;
    for (const auto& attribute : attributes_) {
        if (attribute.xmlns.empty() && attribute.name == "id") opened.id = attribute.value;
        if (attribute.xmlns.empty() && attribute.name == "from") opened.from = attribute.value;
    }
    events_.emplace_back(std::move(opened));
    mark_progress();
}

void XmlReader::start_stanza(Name name) {
    elements_ = 1;
    children_ = 0;
    transfer_.reset();
    push_tag(name);
}

void XmlReader::start_child(Name name) {
    if (depth_ == 3) {
        ++children_;
        const bool is_iq = stanza_->name() == "iq" && stanza_->xmlns().empty();
        const auto& type = stanza_->findAttribute("type");
        if (is_iq && type == "error" && name.local != "error") {
            skip_ = depth_;  // an echo of what was asked
            return;
        }
        if (transfer_) {
            skip_ = depth_;  // a second payload: end_stanza() refuses it
            return;
        }
        if (is_iq && children_ == 1 && (type == "set" || type == "get" || type == "result"))
            transfer_ = transfer_parser(name.xmlns, name.local);
    }
    if (transfer_) return transfer_->start(name.xmlns, name.local, attributes_);
    push_tag(name);
}

void XmlReader::push_tag(Name name) {
    flush_text();
    auto tag = std::make_unique<gloox::Tag>(std::string(name.local));
    if (!name.xmlns.empty() && name.xmlns != ns::kAccept) tag->setXmlns(std::string(name.xmlns));
    for (const auto& attribute : attributes_) {
        if (attribute.xmlns.empty())
            tag->addAttribute(std::string(attribute.name), std::string(attribute.value));
    }
    auto* raw = tag.get();
    if (path_.empty()) {
        stanza_ = std::move(tag);
    } else {
        path_.back()->addChild(tag.release());
    }
    path_.push_back(raw);
}

void XmlReader::text(std::string_view text) {
    mark_seen();
    if (depth_ <= 1) {
        if (text.find_first_not_of(" \t\r\n") != std::string_view::npos)
            return fail(base::Errc::protocol, "the stream has text between stanzas");
        return mark_progress();
    }
    if (skip_ > 0) return;
    // No stanza has text of its own; whether a piece of it were blank would depend on the cuts.
    if (depth_ == 2) return;
    if (is_too_large()) return;  // end_stanza() refuses it
    if (transfer_) return transfer_->text(text);
    text_ += text;
}

void XmlReader::flush_text() {
    if (!text_.empty()) path_.back()->addCData(std::exchange(text_, {}));
}

void XmlReader::end() {
    mark_seen();
    const std::size_t ended = depth_--;
    if (ended == 1) {
        events_.emplace_back(StreamClosed());
        return mark_progress();
    }
    if (skip_ > 0) {
        if (skip_ == ended) skip_ = 0;
        return;
    }
    if (ended > 2 && transfer_) return transfer_->end();
    flush_text();
    path_.pop_back();
    if (ended == 2) end_stanza();
}

void XmlReader::end_stanza() {
    if (seen_ - progress_ > limits_.skipped) return fail(base::Errc::limit, kFarTooLarge);
    if (is_too_large()) refuse(kTooLarge);
    mark_progress();
    if (!excess_.empty()) {
        events_.emplace_back(
            RefusedStanza{stanza_->name(), head_of(*stanza_), std::exchange(excess_, {})});
        transfer_.reset();
        stanza_.reset();
        return;
    }
    if (!transfer_) {
        events_.emplace_back(TagStanza{std::move(stanza_)});
        return;
    }
    TransferStanza event{head_of(*stanza_), transfer_->take()};
    if (children_ > 1) event.payload = Malformed{"the IQ has more than one payload"};
    events_.emplace_back(std::move(event));
    transfer_.reset();
    stanza_.reset();
}

}  // namespace component
