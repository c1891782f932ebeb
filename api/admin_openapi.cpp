#include "api/admin_operation.hpp"

#include "protocol/json.hpp"

#include <algorithm>

namespace trunkline {

namespace {

json_object text_schema() {
  return {{"type", "string"}};
}

json_object parameter(std::string_view name, std::string_view place, std::string_view help,
                      bool required) {
  auto made = json_object{{"name", name}, {"in", place}, {"required", required}};
  if (!help.empty())
    made["description"] = help;
  made["schema"] = text_schema();
  return made;
}

json_array parameters_of(const admin_operation& operation) {
  auto all = json_array{};
  for (const auto name : operation.segments)
    if (!name.empty())
      all.push_back(parameter(name, "path", "", true));
  if (operation.row.method == http_method::get)
    for (const auto& field : operation.fields)
      if (!field.name.empty())
        all.push_back(parameter(field.name, "query", field.help, field.required));
  if (operation.is_action) {
    all.push_back(
        parameter("dry_run", "query", "1: changes nothing, tells what it would reach", false));
    all.push_back(parameter("Idempotency-Key", "header",
                            "at most 255 bytes; the same key gets the same answer for an hour",
                            false));
  }
  return all;
}

/// `type` with null, where a bound can be lifted.
json_value type_of(const admin_field& field) {
  if (field.type == "array")
    return json_value{"array"};
  return field.required || field.type == "string"
             ? json_value{field.type}
             : json_value{json_array{json_value{field.type}, json_value{"null"}}};
}

json_object property_of(const admin_field& field) {
  auto made = json_object{{"type", type_of(field)}, {"description", field.help}};
  if (field.type == "array")
    made["items"] = text_schema();
  return made;
}

json_object body_of(const admin_operation& operation) {
  auto properties = json_object{};
  auto required = json_array{};
  for (const auto& field : operation.fields) {
    if (field.name.empty())
      continue;
    properties[field.name] = property_of(field);
    if (field.required)
      required.push_back(field.name);
  }
  if (operation.is_action)
    properties["reason"] = property_of({"reason", "why; for the audit"});
  auto schema = json_object{{"type", "object"}, {"properties", properties}};
  const auto needed = !required.empty();
  if (needed)
    schema["required"] = std::move(required);
  return {{"required", needed},
          {"content", json_object{{"application/json", json_object{{"schema", schema}}}}}};
}

json_object answer(std::string_view description, std::string_view type, json_object schema) {
  auto content = json_object{};
  content[type] = json_object{{"schema", std::move(schema)}};
  return {{"description", description}, {"content", std::move(content)}};
}

json_object describe(const admin_operation& operation) {
  auto made = json_object{{"operationId", operation.name}, {"summary", operation.summary}};
  if (auto parameters = parameters_of(operation); !parameters.empty())
    made["parameters"] = std::move(parameters);
  if (operation.row.method == http_method::post &&
      (operation.is_action || !operation.fields.front().name.empty()))
    made["requestBody"] = body_of(operation);
  const auto is_json = operation.content_type == "application/json";
  auto responses = json_object{};
  responses[std::to_string(operation.success)] =
      answer(operation.summary, operation.content_type,
             is_json ? json_object{{"type", "object"}} : text_schema());
  responses["default"] = answer("Why not", "application/problem+json",
                                json_object{{"$ref", "#/components/schemas/problem"}});
  made["responses"] = std::move(responses);
  auto needs = json_array{};
  if (operation.row.who != access::open)
    needs.push_back(json_object{{"token", json_array{json_value{operation.row.scope}}}});
  made["security"] = std::move(needs);
  return made;
}

json_object problem_schema() {
  auto properties = json_object{};
  for (const auto name : {"type", "title", "detail"})
    properties[name] = text_schema();
  for (const auto name : {"status", "retry_after"})
    properties[name] = json_object{{"type", "integer"}};
  return {{"type", "object"},
          {"required", json_array{"type", "title", "status", "detail"}},
          {"properties", std::move(properties)}};
}

std::string_view method_key(http_method method) {
  if (method == http_method::del)
    return "delete";
  return method == http_method::get ? "get" : "post";
}

} // namespace

std::string described_path(const admin_operation& operation) {
  auto path = std::string{operation.row.pattern};
  auto from = std::size_t{0};
  for (const auto name : operation.segments) {
    const auto at = path.find("{}", from);
    if (at == std::string::npos)
      break;
    path.insert(at + 1, name);
    from = at + name.size() + 2;
  }
  return path;
}

std::string openapi_document(std::span<const admin_operation> table, std::string_view version) {
  auto paths = json_object{};
  for (const auto& operation : table) {
    auto& path = paths[described_path(operation)];
    if (path.is_null())
      path = json_object{};
    (*path.as_object())[method_key(operation.row.method)] = describe(operation);
  }
  const auto token = json_object{
      {"type", "http"}, {"scheme", "bearer"}, {"description", "made by `trunkline token create`"}};
  return to_json(json_object{
      {"openapi", "3.1.0"},
      {"info",
       json_object{{"title", "Trunkline admin API"},
                   {"version", version},
                   {"license", json_object{{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
      {"paths", std::move(paths)},
      {"components", json_object{{"securitySchemes", json_object{{"token", token}}},
                                 {"schemas", json_object{{"problem", problem_schema()}}}}}});
}

} // namespace trunkline
