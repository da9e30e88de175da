#include "net/http1/exchange.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "net/http1/downstream.hpp"
#include "net/http1/request_key.hpp"
#include "net/http1/worker.hpp"

namespace lbsuite::net::http1 {
namespace {

constexpr std::size_t kMostRepeated = 65536;  // of a request that is kept to be sent again

bool refusal(int error) { return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH; }

bool idempotent(std::string_view method) {
  constexpr std::string_view kMethods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
  return std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods);
}

}  // namespace

Exchange::Exchange(Worker& worker, Downstream& client)
    : worker_(worker), client_(client), parser_(Parser::Kind::response, worker.settings().limits) {}

Exchange::~Exchange() { abandon(); }

void Exchange::reset(const Head& head) {
  active_ = true;
  tunnel_ = answered_ = backend_keeps_ = false;
  repeatable_ = true;
  chunked_ = head.framing == Framing::chunked;
  keep_alive_ = head.keep_alive;
  head_only_ = head.method == "HEAD";
  idempotent_ = idempotent(head.method);
  upgrade_ = head.upgrade;
  minor_ = head.minor;
  status_ = 0;
  attempts_ = interims_ = 0;
  began_ = worker_.reactor().now();
  request_bytes_ = response_bytes_ = 0;
  failed_.clear();
  request_.clear();
  if (worker_.log() != nullptr) {
    method_ = head.method;
    target_ = head.target;
  }
}

void Exchange::begin(const Head& head, bool whole) {
  reset(head);
  request_whole_ = whole;
  key_ = key_of(head, worker_.settings());
  worker_.counters().requests.add(1);
  worker_.retries().request();
  write_request(head, client_.origin(), worker_.settings().via, request_);
  ask();
}

// Picks until a backend takes the request, or nobody is left.
void Exchange::ask() {
  while (active_) {
    std::vector<std::string_view> excluded(failed_.begin(), failed_.end());
    Request request;
    request.key = key_;
    request.exclude = excluded;
    request.attempt = attempts_;
    const Answer answer = worker_.engine().pick(request, Reactor::clock(), worker_.lane());
    const auto* picked = std::get_if<Pick>(&answer);
    if (picked == nullptr) {
      if (!failed_.empty()) return fail(502, "no backend answered");
      const auto* why = std::get_if<NotReady>(&answer);
      const bool full = why != nullptr && *why != NotReady::none;
      return fail(503, full ? "all backends are full" : "no backend is up");
    }
    if (ask(*picked)) return;
  }
}

bool Exchange::ask(const Pick& pick) {
  ++attempts_;
  pick_ = pick;
  attempt_began_ = Reactor::clock();
  Pool* const pool = worker_.pool(pick);
  if (pool == nullptr) {
    leave(false, false);
    return false;
  }
  address_ = pool->address();
  int error = 0;
  upstream_ = pool->take(attempts_ > 1, error);
  if (upstream_ == nullptr) {
    unconnected(error);
    return false;
  }
  upstream_->use(this);
  head_end_.restart();
  in_.clear();
  send(request_);
  return true;
}

void Exchange::send(std::string_view first, std::string_view second) {
  if (upstream_ != nullptr && !upstream_->send(first, second)) upstream_->fail();
  if (upstream_ != nullptr && upstream_->unsent() > kMostUnsent) client_.want_reads(false);
}

// It failed at once. Where nobody listens, no other request needs to find out; where this process has no descriptor left,
// no backend can help.
void Exchange::unconnected(int error) {
  const bool refused = refusal(error);
  leave(false, refused);
  if (!refused && error != EADDRNOTAVAIL) return fail(503, "no connection to a backend is to be had");
  if (refused) worker_.engine().apply(Lost{address_}, Reactor::clock());
  failed_.push_back(address_);
  if (failed_.size() < worker_.settings().attempts && repeatable_) return;
  fail(502, "no backend takes the connection");
}

void Exchange::data(std::string_view bytes) {
  if (bytes.empty()) return;  // a chunk of nothing would end the body
  request_bytes_ += bytes.size();
  const std::size_t before = request_.size();
  if (chunked_) {
    write_chunk_head(bytes.size(), request_);
    request_.append(bytes).append("\r\n");
  } else {
    request_.append(bytes);
  }
  send(std::string_view(request_).substr(before));
  if (request_.size() <= kMostRepeated) return;
  repeatable_ = false;
  request_.clear();
}

void Exchange::end(std::string_view trailers) {
  request_whole_ = true;
  if (!chunked_) return;
  const std::size_t before = request_.size();
  request_.append("0\r\n").append(trailers).append("\r\n");
  send(std::string_view(request_).substr(before));
}

void Exchange::pass(std::string_view bytes) {
  request_bytes_ += bytes.size();
  send(bytes);
}

void Exchange::end_pass() {
  if (upstream_ != nullptr) upstream_->end_sending();
}

void Exchange::backend_took_all() { client_.want_reads(true); }

void Exchange::delivered() {
  if (upstream_ != nullptr) upstream_->want_reads(true);
}

void Exchange::backend_gone(int error) {
  upstream_ = nullptr;
  const bool refused = refusal(error);
  if (tunnel_) {
    leave(false, false);
    return over(false);
  }
  if (answered_ && parser_.framing() == Framing::until_close && error == 0) return end_with_connection();
  if (refused) worker_.engine().apply(Lost{address_}, Reactor::clock());
  leave(false, true);
  if (answered_) return over(false);  // half a response: the client must see that it is not whole
  failed_.push_back(address_);
  if (again(refused)) return ask();
  if (error == ETIMEDOUT) return fail(504, "a backend took too long to connect");
  fail(502, refused ? "no backend takes the connection" : "a backend ended the connection");
}

bool Exchange::again(bool refused) {
  if (!repeatable_ || !(refused || idempotent_) || failed_.size() >= worker_.settings().attempts) return false;
  if (!worker_.retries().retry(worker_.reactor().now())) return false;
  worker_.counters().retried.add(1);
  return true;
}

void Exchange::leave(bool reusable, bool failed) {
  if (upstream_ != nullptr) std::exchange(upstream_, nullptr)->release(reusable);
  if (pick_.sequence == 0) return;
  const double now = Reactor::clock();
  worker_.engine().done(std::exchange(pick_, {}), {std::max(0.0, now - attempt_began_), failed}, now);
}

void Exchange::abandon() {
  if (!active_) return;
  leave(false, false);
  active_ = tunnel_ = false;
}

void Exchange::time_out() {
  if (tunnel_ || answered_) {
    leave(false, !tunnel_);
    return over(false);
  }
  if (!request_whole_ && (upstream_ == nullptr || upstream_->unsent() == 0)) {
    leave(false, false);
    return fail(408, "the body took too long");
  }
  leave(false, true);
  fail(504, "a backend took too long to answer");
}

void Exchange::fail(std::uint16_t status, std::string_view why) {
  leave(false, true);
  worker_.counters().failed.add(1);
  status_ = status;
  const bool keep = request_whole_ && keep_alive_ && minor_ > 0;
  client_.answer(status, why, keep, head_only_);
  over(keep);
}

void Exchange::over(bool keep_alive) {
  if (!std::exchange(active_, false)) return;
  tunnel_ = false;
  if (worker_.log() != nullptr) {
    const double real = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const double took_s = Reactor::clock() - began_;
    worker_.log()->add({real - took_s, client_.origin().host, method_, target_, address_, status_, request_bytes_,
                        response_bytes_, took_s, attempts_});
  }
  if (request_.capacity() > 4096) request_ = {};
  client_.over(keep_alive);
}

}  // namespace lbsuite::net::http1
