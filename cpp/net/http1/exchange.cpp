#include "net/http1/exchange.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "net/http1/downstream.hpp"
#include "net/http1/worker.hpp"

namespace lbsuite::net::http1 {
namespace {

constexpr std::size_t kMostRepeated = 65536;      // of a request that is kept to be sent again
constexpr std::size_t kMostUndelivered = 131072;  // kept for one side before the other is read no further

bool idempotent(std::string_view method) {
  constexpr std::string_view kMethods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
  return std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods);
}

std::string_view cookie(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const std::size_t end = std::min(cookies.find(';'), cookies.size());
    std::string_view each = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    while (!each.empty() && each.front() == ' ') each.remove_prefix(1);
    if (each.size() > name.size() && each.starts_with(name) && each[name.size()] == '=')
      return each.substr(name.size() + 1);
  }
  return {};
}

std::string_view key_of(const Head& head, const ProxySettings& settings) {
  switch (settings.key) {
    case KeySource::none:
      return {};
    case KeySource::path:
      return head.target.substr(0, head.target.find('?'));
    case KeySource::header:
      return head.find(settings.key_name).value_or("");
    case KeySource::cookie:
      return cookie(head.find("cookie").value_or(""), settings.key_name);
  }
  return {};
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
  attempts_ = 0;
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
  Pool* const pool = worker_.pool(pick);
  if (pool == nullptr) return false;
  pick_ = pick;
  address_ = pool->address();
  attempt_began_ = Reactor::clock();
  upstream_ = pool->take(attempts_ > 1);
  if (upstream_ == nullptr) {
    refused_by(address_);
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
  if (upstream_ != nullptr && upstream_->unsent() > kMostUndelivered) client_.want_reads(false);
}

// Nobody listens there: no other request needs to find out.
void Exchange::refused_by(const std::string& address) {
  worker_.engine().apply(Lost{address}, Reactor::clock());
  leave(false, true);
  failed_.push_back(address);
  if (failed_.size() < worker_.settings().attempts && repeatable_) return;
  fail(502, "no backend takes the connection");
}

void Exchange::data(std::string_view bytes) {
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

void Exchange::backend_took_all() { client_.want_reads(true); }

void Exchange::delivered() {
  if (upstream_ != nullptr) upstream_->want_reads(true);
}

void Exchange::backend_gone(int error) {
  upstream_ = nullptr;
  const bool refused = error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH;
  if (tunnel_) {
    leave(false, false);
    return over(false);
  }
  if (answered_ && parser_.framing() == Framing::until_close && error == 0) return finish(false);
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
  if (!request_whole_) {
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
  const bool keep = request_whole_ && keep_alive_;
  client_.answer(status, why, keep, head_only_);
  over(keep);
}

void Exchange::backend_sent(std::string_view bytes) {
  if (tunnel_) {
    response_bytes_ += bytes.size();
    if (!client_.deliver(bytes)) return client_.close();
    if (client_.undelivered() > kMostUndelivered) upstream_->want_reads(false);
    return;
  }
  if (answered_) return take_body(bytes);
  std::string kept;
  if (!in_.empty()) {
    kept = std::move(in_.append(bytes));
    in_.clear();
    bytes = kept;
  }
  while (active_ && !answered_ && !tunnel_) {
    const std::size_t taken = take_head(bytes);
    if (taken == 0) break;
    bytes.remove_prefix(taken);
  }
  if (active_ && !answered_ && !tunnel_) in_ = bytes;
}

// Returns how much of `bytes` is done with; 0: there is no whole head, or the exchange is over.
std::size_t Exchange::take_head(std::string_view bytes) {
  const std::size_t size = head_end_.find(bytes, worker_.settings().limits);
  Head head;
  auto refused = head_end_.refused();
  if (size == 0 && !refused) return 0;
  head_end_.restart();
  if (!refused) refused = parser_.read_head(bytes.substr(0, size), head, head_only_);
  if (!refused && head.status == 101 && !upgrade_) refused = Refusal{502, "it switches protocols unasked"};
  if (refused) {
    fail(502, "a backend's answer makes no sense");
    return 0;
  }
  if (head.status < 200 && head.status != 101) {
    // An interim answer; HTTP/1.0 knows none.
    if (minor_ == 0) return size;
    std::string& out = worker_.scratch();
    write_response(head, Delivery::until_close, true, minor_, worker_.settings().via, out);
    if (!client_.deliver(out)) client_.close();
    return size;
  }
  return pass_head(head, bytes.substr(size)) ? bytes.size() : 0;
}

// The head and what has come of the body go to the client together.
bool Exchange::pass_head(const Head& head, std::string_view body) {
  answered_ = true;
  status_ = head.status;
  backend_keeps_ = head.keep_alive;
  delivery_ = Delivery::as_framed;
  if (head.framing == Framing::chunked || head.framing == Framing::until_close) {
    delivery_ = minor_ == 0 ? Delivery::until_close : Delivery::chunked;
  }
  if (delivery_ == Delivery::until_close) keep_alive_ = false;
  tunnel_ = head.status == 101;
  std::string& out = worker_.scratch();
  write_response(head, delivery_, keep_alive_ && request_whole_ && client_.goes_on(), minor_, worker_.settings().via,
                 out);
  if (tunnel_) {
    response_bytes_ += body.size();
    if (!client_.deliver(out, body)) client_.close();
    return false;
  }
  if (delivery_ == Delivery::chunked) {
    if (client_.deliver(out)) {
      take_body(body);
    } else {
      client_.close();
    }
    return false;
  }
  std::string_view data;
  std::size_t taken = 0;
  if (!parser_.whole()) taken = parser_.read_body(body, [&](std::string_view piece) { data = piece; });
  response_bytes_ += data.size();
  if (!client_.deliver(out, data)) {
    client_.close();
  } else if (parser_.whole()) {
    finish(taken == body.size());
  }
  return false;
}

void Exchange::take_body(std::string_view bytes) {
  bool fine = true;
  const std::size_t taken = parser_.read_body(bytes, [&](std::string_view data) {
    response_bytes_ += data.size();
    if (delivery_ != Delivery::chunked) {
      fine = fine && client_.deliver(data);
      return;
    }
    std::string& out = worker_.scratch();
    write_chunk_head(data.size(), out);
    out.append(data).append("\r\n");
    fine = fine && client_.deliver(out);
  });
  if (!fine) return client_.close();
  if (parser_.broken()) {
    leave(false, true);
    return over(false);
  }
  if (parser_.whole()) return finish(taken == bytes.size());
  if (client_.undelivered() > kMostUndelivered && upstream_ != nullptr) upstream_->want_reads(false);
}

// clean: the backend sent nothing beyond this response.
void Exchange::finish(bool clean) {
  if (delivery_ == Delivery::chunked) {
    std::string& out = worker_.scratch();
    out.append("0\r\n").append(parser_.trailers()).append("\r\n");
    if (!client_.deliver(out)) return client_.close();
  }
  worker_.counters().answered.add(1);
  leave(clean && backend_keeps_ && request_whole_, status_ >= 500);
  over(keep_alive_ && request_whole_);
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
