// SMTP as it is read: a message and a reply do not depend on the cuts; a message without a fault is
// clean CRLF lines, but for noted NULs, and survives dot-stuffing; a command that was understood,
// written by our client, means the same; a refusal is a 5yz of one line; a netstring has one
// spelling, and no less of it is enough.
#include "base/limits.hpp"
#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "mail/content.hpp"
#include "mail/dsn_parameters.hpp"
#include "smtp-bridge/client/dot_stuffer.hpp"
#include "smtp-bridge/client/envelope_commands.hpp"
#include "smtp-bridge/client/reply_parser.hpp"
#include "smtp-bridge/lookup/netstring.hpp"
#include "smtp-bridge/server/command.hpp"
#include "smtp-bridge/server/data_reader.hpp"

using namespace smtp_bridge;
using fuzz::check;

namespace {

namespace limits = base::limits;

struct Message {
    std::size_t used = 0;
    bool done = false;
    DataReader::Fault fault = DataReader::Fault::none;
    std::uint64_t size = 0;
    bool eight_bit = false;
    bool has_nul = false;
    std::string content;
    bool operator==(const Message&) const = default;
};

Message read_message(std::string_view input, std::size_t most, bool cut,
                     DataReader::Framing framing = DataReader::Framing::dots) {
    DataReader reader(most, framing);
    Message message;
    const auto feed = [&](std::string_view piece) {
        const auto used = reader.feed(piece);
        check(used == piece.size() || reader.done(), "less is used only at the end");
        message.used += used;
        return !reader.done();
    };
    if (cut) {
        fuzz::in_pieces(input, feed);
    } else {
        feed(input);
    }
    if (framing == DataReader::Framing::counted) reader.finish();
    message.done = reader.done();
    message.fault = reader.fault();
    message.size = reader.size();
    message.eight_bit = reader.eight_bit();
    message.has_nul = reader.has_nul();
    message.content = reader.take();
    return message;
}

/// Clean lines, in which a NUL is an octet like others.
bool has_clean_lines(std::string content) {
    std::ranges::replace(content, '\0', '0');
    return mail::check_lines(content).has_value();
}

void check_data(std::string_view input, std::size_t most) {
    const auto message = read_message(input, most, false);
    check(read_message(input, most, true) == message, "a message does not depend on the cuts");
    check(message.content.size() <= most, "a message is bounded");
    if (!message.done || message.fault != DataReader::Fault::none) return;
    check(message.size == message.content.size(), "the size is that of the message");
    check(has_clean_lines(message.content), "a message is clean lines");
    check(message.has_nul == (message.content.find('\0') != std::string::npos), "has_nul()");
    check(message.eight_bit == !base::is_ascii(message.content), "eight_bit()");
    DotStuffer stuffer;
    std::string stuffed;
    fuzz::in_pieces(message.content, [&](std::string_view piece) {
        stuffer.feed(piece, stuffed);
        return true;
    });
    stuffer.finish(stuffed);
    const auto again = read_message(stuffed, most, false);
    check(again.done && again.used == stuffed.size() && again.content == message.content,
          "a message survives dot-stuffing");
}

/// BDAT: what is taken is what came, and is clean lines.
void check_counted(std::string_view input) {
    const auto message = read_message(input, SIZE_MAX, false, DataReader::Framing::counted);
    check(read_message(input, SIZE_MAX, true, DataReader::Framing::counted) == message,
          "chunks do not depend on the cuts");
    check(message.done && message.used == input.size(), "chunks are read to their end");
    if (message.fault == DataReader::Fault::none)
        check(message.content == input && has_clean_lines(std::string(input)),
              "what is taken is what came");
}

void check_reply(std::string_view input) {
    struct Replies {
        std::vector<ServerReply> replies;
        std::optional<std::string> error;
    };
    const auto read = [&](bool cut) {
        Replies result;
        ReplyParser parser;
        const auto feed = [&](std::string_view piece) {
            while (!piece.empty()) {
                const auto used = parser.feed(piece);
                if (!used) {
                    result.error = used.error().text;
                    return false;
                }
                check(*used == piece.size() || parser.done(), "less is used only at the end");
                piece.remove_prefix(*used);
                if (parser.done()) result.replies.push_back(parser.take());
            }
            return true;
        };
        if (cut) {
            fuzz::in_pieces(input, feed);
        } else {
            feed(input);
        }
        return result;
    };
    const auto whole = read(false);
    const auto pieces = read(true);
    check(whole.error == pieces.error && whole.replies.size() == pieces.replies.size(),
          "replies do not depend on the cuts");
    for (std::size_t i = 0; i < whole.replies.size(); ++i) {
        const auto& reply = whole.replies[i];
        check(reply.code == pieces.replies[i].code && reply.lines == pieces.replies[i].lines,
              "a reply does not depend on the cuts");
        check(reply.code >= 200 && reply.code <= 599, "a reply has a code");
        check(!reply.lines.empty() && reply.lines.size() <= limits::kReplyLines,
              "a reply's lines are bounded");
        const auto mail = reply.to_mail();
        check(mail.code == reply.code, "the code stays");
        check(mail.text == base::printable(mail.text, limits::kStatusText),
              "a reply's text is one printable line");
    }
}

const Command& command(const ParsedCommand& parsed) {
    const auto* found = std::get_if<Command>(&parsed);
    check(found != nullptr, "a command that we write is one");
    return *found;
}

std::string_view without_crlf(std::string_view line) {
    check(line.find_first_of("\r\n") == line.size() - 2, "a command is one line");
    return line.substr(0, line.size() - 2);
}

constexpr Extensions kAll{true, true, true, true, {}, true, true, true, false};

void check_again(const MailFrom& was) {
    const mail::Envelope envelope{was.from,       {},      was.body, was.smtputf8,
                                  was.requiretls, was.ret, was.envid};
    const mail::Content nothing;
    const bool eight_bit = envelope.body == mail::Body::eight_bit_mime;
    const auto line = mail_command({envelope, "", nothing, 0, eight_bit}, kAll);
    const auto parsed = parse_command(without_crlf(line));
    const auto& is = std::get<MailFrom>(command(parsed));
    check(is.from == was.from && is.body == was.body && is.smtputf8 == was.smtputf8 &&
              is.ret == was.ret && is.envid == was.envid && is.requiretls == was.requiretls,
          "MAIL that is written means the same");
}

void check_again(const RcptTo& was) {
    if (!was.address) return;
    const auto line = rcpt_command({0, *was.address, was.notify, was.orcpt}, kAll);
    const auto parsed = parse_command(without_crlf(line));
    const auto& is = std::get<RcptTo>(command(parsed));
    check(is.address == was.address && is.notify == was.notify,
          "RCPT that is written means the same");
    const auto orcpt = mail::write_orcpt(was.orcpt);
    check(orcpt.empty() == was.orcpt.empty() && mail::write_orcpt(is.orcpt) == orcpt,
          "ORCPT that is taken is written, and means the same");
}

void check_again(const Hello& hello) {
    check(!hello.name.empty() && hello.name.size() <= limits::kDomain &&
              hello.name == base::printable(hello.name, limits::kDomain) &&
              hello.name.find(' ') == std::string::npos,
          "the client's name is one bounded word");
}

template <class Other>
void check_again(const Other&) {}

void check_command(std::string_view line) {
    const auto parsed = parse_command(line);
    if (const auto* refusal = std::get_if<mail::Reply>(&parsed)) {
        check(refusal->is_permanent() && refusal->status.klass == 5, "a refusal is a 5yz");
        check(refusal->text == base::printable(refusal->text, limits::kCommandLine),
              "a refusal is one printable line");
        return;
    }
    std::visit([](const auto& found) { check_again(found); }, std::get<Command>(parsed));
}

void check_netstring(std::string_view input) {
    check(parse_netstring(to_netstring(input), input.size()).value()->payload == input,
          "what is written is a netstring");
    const auto parsed = parse_netstring(input, limits::kNetstring);
    if (!parsed || !*parsed) return;
    const auto [payload, used] = **parsed;
    check(payload.size() <= limits::kNetstring, "a netstring is bounded");
    check(to_netstring(payload) == input.substr(0, used), "a netstring has one spelling");
    const auto less = parse_netstring(input.substr(0, used - 1), limits::kNetstring);
    check(less && !*less, "less than all of it is not enough, and no mistake");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz::text_of(data, size);
    check_data(input, SIZE_MAX);
    check_data(input, 100);
    check_counted(input);
    check_reply(input);
    check_netstring(input);
    for (const auto line : base::split(input, "\r\n"))
        check_command(line.substr(0, limits::kCommandLine));
    return 0;
}
