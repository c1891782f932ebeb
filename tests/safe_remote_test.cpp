#include "protocol/safe_remote.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;

TEST_CASE("A91: no text of an actor keeps a script", "[safe_remote][A91]") {
  auto actor = remote_actor{.display_name = "Al\u202Eice",
                            .note = "<p>hi<script>x</script></p>",
                            .fields = {{"a\nb", "<img src=x onerror=alert(1)>site"}}};
  make_safe(actor);
  CHECK(actor.display_name == "Alice");
  CHECK(actor.note.find("script") == std::string::npos);
  CHECK(actor.fields[0].name == "a b");
  CHECK(actor.fields[0].value.find("onerror") == std::string::npos);
}

TEST_CASE("A91: no text of a note keeps a script", "[safe_remote][A91]") {
  auto note = remote_note{.content = "<p onclick=x>hi</p><script>x</script>",
                          .spoiler = "line\nline",
                          .language = "javascript:x",
                          .attachments = {{"https://r.example/a.png", "image/png", "a\u202Eb"}},
                          .poll = remote_poll{.options = {{"o\u202Ene", 1}}}};
  make_safe(note);
  CHECK(note.content.find("script") == std::string::npos);
  CHECK(note.content.find("onclick") == std::string::npos);
  CHECK(note.content.find("hi") != std::string::npos);
  CHECK(note.spoiler == "line line");
  CHECK(note.language.empty());
  CHECK(note.attachments[0].description == "ab");
  CHECK(note.poll->options[0].name == "one");
  note.language = "de-AT";
  make_safe(note);
  CHECK(note.language == "de-AT");
}
