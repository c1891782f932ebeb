#include "protocol/errc.hpp"
#include "protocol/media_type.hpp"
#include "protocol/request_params.hpp"
#include "protocol/utf8.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::string_view_literals;

namespace {

constexpr auto form_type = "application/x-www-form-urlencoded";

struct params_case {
  std::string query;
  std::string expected; ///< As JSON, or the code of the failure.
};

std::string read(const caf::expected<request_params>& params) {
  if (!params)
    return std::string{to_string(code_of(params.error()))};
  return to_json(params->values());
}

std::string multipart_body(std::string_view boundary) {
  const auto line = "--" + std::string{boundary};
  return line + "\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\nHi\r\nthere\r\n" +
         line + "\r\ncontent-disposition: form-data; name=\"media_ids[]\"\r\n\r\n7\r\n" + line +
         "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".png\"\r\n"
         "Content-Type: image/png\r\n\r\n\x89PNG\r\n\xff\r\n" +
         line + "--\r\n";
}

} // namespace

TEST_CASE("a form's names become values, lists and objects", "[params]") {
  const std::vector<params_case> cases{
      {"", "{}"},
      {"a=1", R"({"a":"1"})"},
      {"a=1&a=2", R"({"a":"2"})"},
      {"a", R"({"a":""})"},
      {"&&a=1&", R"({"a":"1"})"},
      {"a=b=c", R"({"a":"b=c"})"},
      {"a+b=c+d%2B", R"({"a b":"c d+"})"},
      {"a[]=1&a[]=2", R"({"a":["1","2"]})"},
      {"a%5B%5D=1", R"({"a":["1"]})"},
      {"a[b]=c&a[d]=e", R"({"a":{"b":"c","d":"e"}})"},
      {"poll[options][]=x&poll[options][]=y&poll[multiple]=1",
       R"({"poll":{"options":["x","y"],"multiple":"1"}})"},
      {"a[][k]=1&a[][v]=2&a[][k]=3", R"({"a":[{"k":"1","v":"2"},{"k":"3"}]})"},
      {"f[0][name]=n&f[1][name]=m", R"({"f":{"0":{"name":"n"},"1":{"name":"m"}}})"},
      {"a[b][c][d][e][f]=1", R"({"a":{"b":{"c":{"d":{"e":{"f":"1"}}}}}})"},
      {"a=%C3%A4%F0%9F%98%80", R"({"a":"ä😀"})"},
  };
  for (const auto& [query, expected] : cases) {
    CAPTURE(query);
    CHECK(read(parse_params(query, "", "")) == expected);
    CHECK(read(parse_params("", form_type, query)) == expected);
  }
}

TEST_CASE("a form that is ambiguous, broken or too large is refused", "[params]") {
  const std::string many = [] {
    std::string text;
    for (int i = 0; i < 1001; ++i)
      text += "a" + std::to_string(i) + "=&";
    return text;
  }();
  const std::vector<params_case> cases{
      {"a=1&a[]=2", "malformed"},
      {"a[]=1&a=2", "malformed"},
      {"a[b]=1&a[]=2", "malformed"},
      {"a[b]=1&a=2", "malformed"},
      {"a[][]=1", "malformed"},
      {"a[b=1", "malformed"},
      {"a]b=1", "malformed"},
      {"a[b]c=1", "malformed"},
      {"a[b[c]]=1", "malformed"},
      {"[a]=1", "malformed"},
      {"=1", "malformed"},
      {"a=%", "malformed"},
      {"a=%4", "malformed"},
      {"a=%zz", "malformed"},
      {"%zz=a", "malformed"},
      {"a=%00", "malformed"},
      {"a=%C0%80", "malformed"},
      {"a=%ED%A0%80", "malformed"},
      {"a=%FF", "malformed"},
      {"a[b][c][d][e][f][g]=1", "too_large"},
      {std::string(257, 'a') + "=1", "too_large"},
      {many, "too_large"},
  };
  for (const auto& [query, expected] : cases) {
    CAPTURE(query);
    CHECK(read(parse_params(query, "", "")) == expected);
    CHECK(read(parse_params("", form_type, query)) == expected);
  }
}

TEST_CASE("a JSON body is an object of texts without NUL", "[params]") {
  const std::vector<params_case> cases{
      {R"({"a":[1,"x",true],"b":null})", R"({"a":[1,"x",true],"b":null})"},
      {"[]", "malformed"},
      {"7", "malformed"},
      {"{", "malformed"},
      {R"({"a":"\u0000"})", "malformed"},
      {R"({"a":[{"b\u0000":1}]})", "malformed"},
      {"{\"a\":\"\xff\"}", "malformed"},
  };
  for (const auto& [body, expected] : cases) {
    CAPTURE(body);
    CHECK(read(parse_params("", "Application/JSON; charset=utf-8", body)) == expected);
  }
}

TEST_CASE("a parameter of the body replaces that of the query", "[params]") {
  CHECK(read(parse_params("a=1&b=2", "application/json", R"({"a":[3]})")) ==
        R"({"a":[3],"b":"2"})");
}

TEST_CASE("a body needs a type that is known, an empty one none", "[params]") {
  CHECK(read(parse_params("", "text/plain", "x")) == "malformed");
  CHECK(read(parse_params("", "", "x")) == "malformed");
  CHECK(read(parse_params("", "json", "x")) == "malformed");
  CHECK(read(parse_params("", "text/plain", "")) == "{}");
}

TEST_CASE("a multipart body is split into fields and files", "[params]") {
  const auto params =
      parse_params("", "multipart/form-data; boundary=\"b 1\"", multipart_body("b 1"));
  CHECK(read(params) == R"({"status":"Hi\r\nthere","media_ids":["7"]})");
  REQUIRE(params->files().size() == 1);
  const auto& file = params->files().front();
  CHECK(file.name == "file");
  CHECK(file.filename == "a \"b\".png");
  CHECK(file.content_type == "image/png");
  CHECK(file.bytes == "\x89PNG\r\n\xff");
}

TEST_CASE("a multipart body that is cut or altered is refused", "[params]") {
  const auto type = std::string{"multipart/form-data; boundary=b1"};
  const auto whole = multipart_body("b1");
  REQUIRE(read(parse_params("", type, whole)).starts_with('{'));
  for (std::size_t size = 1; size < whole.size() - 4; ++size) {
    CAPTURE(size);
    CHECK(read(parse_params("", type, whole.substr(0, size))) == "malformed");
  }
  CHECK(read(parse_params("", "multipart/form-data", whole)) == "malformed");
  CHECK(read(parse_params("", "multipart/form-data; boundary=other", whole)) == "malformed");
  const std::vector<params_case> cases{
      {"--b1\r\n\r\nx\r\n--b1--", "malformed"},
      {"--b1\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b1--", "malformed"},
      {"--b1\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--b1--", "malformed"},
      {"--b1\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\r\n--b1--", "malformed"},
      {std::string{"--b1\r\nContent-Disposition: form-data; name=a\r\n\r\nx\0y\r\n--b1--"sv},
       "malformed"},
      {"--b1\r\nContent-Disposition: form-data; name=a\r\nX: " + std::string(9000, 'x') +
           "\r\n\r\n\r\n--b1--",
       "too_large"},
      {"--b1--", "{}"},
      {"preamble\r\n--b1\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--b1--epilogue",
       R"({"a":""})"},
  };
  for (const auto& [body, expected] : cases) {
    CAPTURE(body);
    CHECK(read(parse_params("", type, body)) == expected);
  }
  std::string many;
  for (int i = 0; i < 1001; ++i)
    many += "--b1\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
  CHECK(read(parse_params("", type, many + "--b1--")) == "too_large");
}

TEST_CASE("typed accessors tell absent from wrong", "[params]") {
  const auto params = parse_params("blank=&on=true&off=0&odd=maybe&n=-7&big=9223372036854775808&"
                                   "l[]=a&l[]=b&poll[expires_in]=60",
                                   "application/json",
                                   R"({"null":null,"yes":true,"five":5,"half":0.5,"o":{},
                                       "mixed":["x",2],"nested":[["x"]]})");
  REQUIRE(params);
  const auto code = [](const auto& result) {
    return result ? std::string{"fine"} : std::string{to_string(code_of(result.error()))};
  };
  for (const auto* absent : {"none", "null", "blank", "o.x", "on.x"}) {
    CAPTURE(absent);
    REQUIRE(params->get_bool(absent));
    CHECK(!*params->get_bool(absent));
    REQUIRE(params->get_int(absent));
    CHECK(!*params->get_int(absent));
  }
  CHECK(**params->get_string("blank") == "");
  CHECK(params->has("null"));
  CHECK(!params->has("none"));
  CHECK(!*params->get_string("null"));
  CHECK(!*params->get_strings("null"));
  CHECK(**params->get_bool("on"));
  CHECK(**params->get_bool("yes"));
  CHECK(!**params->get_bool("off"));
  CHECK(code(params->get_bool("odd")) == "invalid");
  CHECK(code(params->get_bool("five")) == "invalid");
  CHECK(code(params->get_bool("o")) == "invalid");
  CHECK(**params->get_int("n") == -7);
  CHECK(**params->get_int("five") == 5);
  CHECK(**params->get_int("poll.expires_in") == 60);
  for (const auto* wrong : {"big", "half", "odd", "yes", "l"}) {
    CAPTURE(wrong);
    CHECK(code(params->get_int(wrong)) == "invalid");
    CHECK(context_of(params->get_int(wrong).error()).starts_with(wrong));
  }
  CHECK(**params->get_string("five") == "5");
  CHECK(code(params->get_string("l")) == "invalid");
  CHECK(**params->get_strings("l") == std::vector<std::string>{"a", "b"});
  CHECK(**params->get_strings("mixed") == std::vector<std::string>{"x", "2"});
  CHECK(**params->get_strings("on") == std::vector<std::string>{"true"});
  CHECK(code(params->get_strings("nested")) == "invalid");
  CHECK(code(params->get_strings("o")) == "invalid");
}

TEST_CASE("a media type is read with its parameters, anything else is none", "[params]") {
  const auto type = parse_media_type(" Text/HTML ; Charset=UTF-8; x=\"a;\\\"b\\\\\" ;");
  REQUIRE(type);
  CHECK(type->essence == "text/html");
  CHECK(type->parameter("charset") == "UTF-8");
  CHECK(type->parameter("x") == "a;\"b\\");
  CHECK(type->parameter("y") == "");
  for (const auto* text : {"", "text", "text/", "/html", "text/html x", "text/html; x",
                           "a/b; x=", "a/b; x=\"y", "a/b; x=1; X=2", "text /html"}) {
    CAPTURE(text);
    CHECK(!parse_media_type(text));
  }
}

TEST_CASE("UTF-8 is judged as RFC 3629 has it", "[params]") {
  for (const auto* text : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    CHECK(is_utf8(text));
  for (const auto* text :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2x", "\xe0\x9f\xbf", "\xe0\xa0", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xf0\x90\x80"})
    CHECK(!is_utf8(text));
}

TEST_CASE("percent-encoding is undone by decoding", "[params]") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte)
    all += static_cast<char>(byte);
  CHECK(decode_percent(encode_percent(all), plus_sign::is_space) == all);
  CHECK(encode_percent("a b+ä") == "a%20b%2B%C3%A4");
  CHECK(decode_percent("a+b", plus_sign::is_plus) == "a+b");
}
