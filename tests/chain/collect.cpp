// Writes the catalogue of the packages that are named as RELEASE=PATH, in that order.
#include "chain/catalogue.h"

#include <cstdio>
#include <string>

using namespace drydock;

int main(int argc, char** argv) {
    chain::Catalogue catalogue;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const auto cut = word.find('=');
        const std::string environment = "ai/backend/manager/models/alembic";
        const chain::Reading reading = chain::read_chain(word.substr(cut + 1), environment);
        for (const chain::Problem& one : reading.problems) {
            std::fprintf(stderr,
                         "%s: %s:%d: %s\n",
                         word.c_str(),
                         one.file.c_str(),
                         one.line,
                         one.text.c_str());
        }
        if (!reading.problems.empty()) {
            return 1;
        }
        catalogue.push_back({word.substr(0, cut), reading.graph});
    }
    std::fputs(chain::write_catalogue(catalogue).c_str(), stdout);
    return 0;
}
