#include "net/reactor/tls.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#ifdef LBSUITE_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

namespace lbsuite::net {

#ifndef LBSUITE_TLS

std::unique_ptr<Tls> Tls::server(const std::string&, const std::string&) {
  throw std::invalid_argument("this build has no TLS: install libssl-dev (brew: openssl) and build lbsuite again");
}

#else

namespace {

int size_of(std::size_t bytes) {
  return static_cast<int>(std::min<std::size_t>(bytes, std::numeric_limits<int>::max()));
}

class Session final : public TlsSession {
 public:
  Session(SSL_CTX* context, int socket) : ssl_(SSL_new(context)) {
    if (ssl_ == nullptr || SSL_set_fd(ssl_, socket) != 1) throw std::bad_alloc();
    SSL_set_accept_state(ssl_);
  }
  ~Session() override { SSL_free(ssl_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Said read(std::span<char> room, std::size_t& size) override {
    ERR_clear_error();
    return say(SSL_read(ssl_, room.data(), size_of(room.size())), size);
  }
  Said write(std::string_view bytes, std::size_t& size) override {
    ERR_clear_error();
    return say(SSL_write(ssl_, bytes.data(), size_of(bytes.size())), size);
  }
  void finish() override {
    ERR_clear_error();
    if (!broken_ && SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
  }
  bool wants_write() const override { return wants_write_; }

 private:
  Said say(int count, std::size_t& size) {
    size = count > 0 ? static_cast<std::size_t>(count) : 0;
    const int error = count > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_, count);
    wants_write_ = error == SSL_ERROR_WANT_WRITE;
    switch (error) {
      case SSL_ERROR_NONE:
        return Said::fine;
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        return Said::again;
      case SSL_ERROR_ZERO_RETURN:
        return Said::end;
      default:
        broken_ = true;
        return Said::broken;
    }
  }

  SSL* const ssl_;
  bool wants_write_ = false;
  bool broken_ = false;
};

int choose_http1(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                 unsigned int offered_size, void*) {
  static constexpr unsigned char kHttp1[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  const int agreed = SSL_select_next_proto(&found, size, kHttp1, sizeof kHttp1 - 1, offered, offered_size);
  *chosen = found;
  return agreed == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

class Context final : public Tls {
 public:
  Context(const std::string& certificate, const std::string& key) : context_(SSL_CTX_new(TLS_server_method())) {
    if (context_ == nullptr) throw std::bad_alloc();
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    SSL_CTX_set_mode(context_.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context_.get(), choose_http1, nullptr);
    check(SSL_CTX_use_certificate_chain_file(context_.get(), certificate.c_str()), "certificate", certificate);
    check(SSL_CTX_use_PrivateKey_file(context_.get(), key.c_str(), SSL_FILETYPE_PEM), "key", key);
    check(SSL_CTX_check_private_key(context_.get()), "key of that certificate", key);
  }
  std::unique_ptr<TlsSession> accept(int socket) override { return std::make_unique<Session>(context_.get(), socket); }

 private:
  static void check(int fine, const std::string& what, const std::string& path) {
    if (fine == 1) return;
    const char* const why = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    throw std::invalid_argument("not a " + what + ": '" + path + "': " + (why == nullptr ? "unreadable" : why));
  }
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
};

}  // namespace

std::unique_ptr<Tls> Tls::server(const std::string& certificate, const std::string& key) {
  return std::make_unique<Context>(certificate, key);
}

#endif

}  // namespace lbsuite::net
