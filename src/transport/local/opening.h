// Opening: what two ends say on a stream before the agent speaks, such as to copy it there.
//
// A conversation gives all bytes that come to its opening until that is done. Frames that are sent
// meanwhile are held back. One opening serves one stream. Not thread-safe.
#pragma once

#include "base/result.h"

#include <memory>
#include <string>
#include <string_view>

namespace drydock::transport {

class Opening {
public:
    struct Step {
        bool is_done = false;
        std::string rest;  // bytes behind the end of the opening
        // To be written now; null: nothing. Conversations share a file that goes to many hosts.
        std::shared_ptr<const std::string> send;
    };

    Opening() = default;
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;
    virtual ~Opening() = default;

    // Takes bytes in any portions. An error ends the conversation.
    [[nodiscard]] virtual Result<Step> take(std::string_view bytes) = 0;
    // Returns what the end of the stream means, of the last words of standard error. Called at any
    // time, also long after the opening is done.
    [[nodiscard]] virtual Error explain_end(Error ended, std::string_view last_words) const = 0;
};

}  // namespace drydock::transport
