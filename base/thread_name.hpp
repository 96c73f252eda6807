// The name of a thread, for top(1) and debuggers.
#pragma once

#include <pthread.h>

namespace base {

/// Of the calling thread; at most 15 bytes.
inline void name_thread(const char* name) {
    ::pthread_setname_np(::pthread_self(), name);
}

}  // namespace base
