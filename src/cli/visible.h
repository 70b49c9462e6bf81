// Visible: what text from hosts, packs and files may do to a terminal: nothing.
//
// All output of drydock passes visible(), the one function at its boundary. It shows control
// characters (C0, C1, DEL), the characters that turn the direction of text, and bytes that are no
// UTF-8 as `\u001b`, which is also how JSON writes them. New lines and tabs stay. Of escape
// sequences only those of Screen pass, which carry a key that nobody outside this process knows.
#pragma once

#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace drydock::cli {

[[nodiscard]] std::string visible(std::string_view text);

// The same, with new lines shown too: for text that belongs on one line.
[[nodiscard]] std::string one_line(std::string_view text);

class VisibleBuffer final : public std::streambuf {
public:
    explicit VisibleBuffer(std::ostream& target) : target_(target) {}

protected:
    int_type overflow(int_type byte) override;
    std::streamsize xsputn(const char* bytes, std::streamsize size) override;
    int sync() override;

private:
    void pass(std::size_t size);

    std::ostream& target_;
    std::string waiting_;  // not written yet: a character may be cut in two
};

// Writes to another stream what it gets, made visible. Not thread-safe.
class VisibleStream final : public std::ostream {
public:
    // `target` must outlive this.
    explicit VisibleStream(std::ostream& target) : std::ostream(nullptr), buffer_(target) {
        rdbuf(&buffer_);
    }

    ~VisibleStream() override { flush(); }

    VisibleStream(const VisibleStream&) = delete;
    VisibleStream& operator=(const VisibleStream&) = delete;

private:
    VisibleBuffer buffer_;
};

}  // namespace drydock::cli
