// Two servers in one program: their accounts follow each other, post, edit and delete. They keep
// everything in memory and open no port: a transport carries what one sends to the other.

#include <trunkline/engine.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

/// Carries requests between the engines of this program, by the name of the host.
struct local_network final : trunkline::http_transport {
  void connect(const std::string& host, trunkline::engine& to) {
    const auto held = std::scoped_lock{mutex_};
    engines_[host] = &to;
  }
  void disconnect() {
    const auto held = std::scoped_lock{mutex_};
    engines_.clear();
  }

  void send(trunkline::transport_request request,
            std::function<void(trunkline::transport_answer)> done) override {
    const auto path_at = request.url.find('/', request.url.find("//") + 2);
    const auto host = request.url.substr(8, path_at - 8); // after "https://"
    const auto held = std::scoped_lock{mutex_};
    const auto found = engines_.find(host);
    if (found == engines_.end())
      return done(trunkline::transport_failure{.reason = "no such host"});
    request.headers.emplace_back("Host", host);
    found->second->handle(
        {request.method, request.url.substr(path_at), request.headers, request.body}, done);
  }

private:
  std::mutex mutex_;
  std::map<std::string, trunkline::engine*> engines_;
};

template <class T>
T need(trunkline::result<T> got) {
  if (got)
    return std::move(*got);
  std::cerr << got.error().message << '\n';
  std::exit(1);
}

trunkline::engine start(const std::string& domain, std::shared_ptr<local_network> network) {
  auto engine = need(trunkline::engine::builder{need(trunkline::options::for_domain(domain))}
                         .storage(trunkline::store::memory())
                         .transport(std::move(network))
                         .log([](const trunkline::log_line&) {})
                         .start());
  need(engine.wait_ready(30s));
  return engine;
}

/// Looks at a home until its newest post is `content`.
void wait_for(trunkline::engine& server, const std::string& account, const std::string& content) {
  auto home = need(server.home(account));
  for (; home.empty() || home[0].content != content; home = need(server.home(account)))
    std::this_thread::sleep_for(20ms);
}

} // namespace

int main() {
  const auto network = std::make_shared<local_network>();
  auto apple = start("apple.example", network);
  auto birch = start("birch.example", network);
  network->connect("apple.example", apple);
  network->connect("birch.example", birch);

  const auto alice = need(apple.create_account({.name = "alice"})).id;
  const auto bob = need(birch.create_account({.name = "bob"})).id;
  need(apple.follow(alice, "bob@birch.example"));
  need(birch.follow(bob, "alice@apple.example"));
  while (need(apple.following(alice, "bob@birch.example")) != trunkline::follow_state::following ||
         need(birch.following(bob, "alice@apple.example")) != trunkline::follow_state::following)
    std::this_thread::sleep_for(20ms);

  need(birch.post(bob, {.text = "Hello from birch"}));
  wait_for(apple, alice, "<p>Hello from birch</p>");
  const auto post = need(apple.post(alice, {.text = "Hello from apple"}));
  wait_for(birch, bob, "<p>Hello from apple</p>");
  need(apple.edit(alice, post.id, {.text = "Hello, birch"}));
  wait_for(birch, bob, "<p>Hello, birch</p>");
  need(apple.delete_post(alice, post.id));
  wait_for(birch, bob, "<p>Hello from birch</p>");
  std::cout << "followed, posted, edited and deleted across two servers\n";
  network->disconnect(); // before the engines go
}
