#include "engine/embedding/signals.hpp"

#include <semaphore.h>

#include <cerrno>

namespace trunkline {

namespace {

// What a handler may touch: a lock-free number, and a semaphore that lives as long as the code.
std::atomic<bool> taken = false;
std::atomic<int> caught = 0;
sem_t woken;

static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int number) {
  const auto kept = errno;
  caught = number;
  ::sem_post(&woken);
  errno = kept;
}

} // namespace

signal_wait::signal_wait() : is_first_{!taken.exchange(true)} {
  if (!is_first_)
    return;
  caught = 0;
  ::sem_init(&woken, 0, 0);
  struct sigaction ours = {};
  ours.sa_handler = on_signal;
  ours.sa_flags = SA_RESTART;
  sigemptyset(&ours.sa_mask);
  ::sigaction(SIGTERM, &ours, &old_term_);
  ::sigaction(SIGINT, &ours, &old_int_);
  // One thread at least lets them in, whatever the program has blocked.
  auto both = sigset_t{};
  sigemptyset(&both);
  sigaddset(&both, SIGTERM);
  sigaddset(&both, SIGINT);
  ::pthread_sigmask(SIG_UNBLOCK, &both, &old_mask_);
}

signal_wait::~signal_wait() {
  if (!is_first_)
    return;
  ::pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
  ::sigaction(SIGTERM, &old_term_, nullptr);
  ::sigaction(SIGINT, &old_int_, nullptr);
  taken = false;
}

int signal_wait::wait() {
  while (caught == 0 && !stopped_)
    ::sem_wait(&woken); // an interruption is a look at both
  return caught;
}

void signal_wait::stop() {
  stopped_ = true;
  if (is_first_)
    ::sem_post(&woken);
}

} // namespace trunkline
