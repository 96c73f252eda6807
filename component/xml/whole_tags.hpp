// WholeTags: passes a stream of XML on with its tags whole, and those that are too long without
// their last attributes.
//
// expat keeps an unfinished tag in memory, and looks through it again with each read; and servers
// make tags of many megabytes of what a stranger sent, as they write a namespace anew for each
// attribute. So expat sees a tag when it is complete, and no more of it than a bound. Everything
// else passes as it comes. Owns what is unfinished: at most the bound, and one read. Pure; decides
// nothing by where the reads are cut. It is no parser: what is no XML passes, and is expat's to
// refuse.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace component {

class WholeTags {
  public:
    /// `longest`: bytes of a tag.
    explicit WholeTags(std::size_t longest) : longest_(longest) {}

    struct Piece {
        std::string bytes;
        std::size_t left_out = 0;  ///< bytes of the one tag that it is; 0: it is whole
    };
    /// What can be parsed now that `bytes` have come.
    std::vector<Piece> take(std::string_view bytes);

  private:
    enum class In : std::uint8_t { text, tag, cdata };

    std::size_t take_text(std::string_view bytes, std::vector<Piece>& pieces);
    std::size_t take_tag(std::string_view bytes, std::vector<Piece>& pieces);
    std::size_t take_cdata(std::string_view bytes, std::vector<Piece>& pieces);
    void keep(std::string_view bytes);
    void end_tag(std::vector<Piece>& pieces);

    std::size_t longest_;
    In in_ = In::text;
    std::string held_;          ///< of the unfinished tag, from its `<` on
    std::size_t complete_ = 0;  ///< bytes of it up to the end of an attribute
    std::size_t left_out_ = 0;  ///< bytes of it
    char quote_ = '\0';         ///< that is open in it
    char last_ = '\0';          ///< octet of it
    std::size_t brackets_ = 0;  ///< `]` at the end of what has come of a CDATA section
};

}  // namespace component
