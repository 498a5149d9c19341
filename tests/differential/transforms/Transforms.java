// Runs cases through the reference implementation of transforms and predicates and prints what came out.
// Standard input: {"classes": [name...], "cases": [{"class", "config", "records": [record...]}]}
// Standard output: {"config_defs": {name: [...]}, "results": [...]}
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.*;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

public class Transforms {
    static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        JsonNode input = JSON.readTree(System.in);
        java.io.PrintStream out = System.out;
        System.setOut(System.err);
        ObjectNode output = JSON.createObjectNode();
        ObjectNode defs = output.putObject("config_defs");
        for (JsonNode name : input.get("classes")) defs.set(name.asText(), configDef(name.asText()));
        ArrayNode results = output.putArray("results");
        for (JsonNode one : input.get("cases")) results.add(run(one));
        out.println(JSON.writerWithDefaultPrettyPrinter().writeValueAsString(output));
    }

    static JsonNode configDef(String name) throws Exception {
        Object plugin = Class.forName(name).getDeclaredConstructor().newInstance();
        ConfigDef def = plugin instanceof Predicate ? ((Predicate<?>) plugin).config() : ((Transformation<?>) plugin).config();
        ArrayNode keys = JSON.createArrayNode();
        for (ConfigDef.ConfigKey k : new TreeMap<>(def.configKeys()).values()) {
            ObjectNode node = keys.addObject();
            node.put("name", k.name).put("type", k.type.toString()).put("importance", k.importance.toString());
            if (!k.hasDefault()) node.put("required", true);
            else node.put("default", ConfigDef.convertToString(k.defaultValue, k.type));
            node.put("display_name", k.displayName).put("group", k.group).put("order", k.orderInGroup);
            node.put("width", k.width.toString());
        }
        return keys;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static JsonNode run(JsonNode one) {
        ObjectNode result = JSON.createObjectNode();
        ConnectRecord<?> before;
        Object plugin;
        try {
            plugin = Class.forName(one.get("class").asText()).getDeclaredConstructor().newInstance();
            Map<String, Object> config = JSON.convertValue(one.get("config"), Map.class);
            if (plugin instanceof Predicate) ((Predicate<?>) plugin).configure(config);
            else ((Transformation<?>) plugin).configure(config);
        } catch (Throwable error) {
            return result.set("config_error", error(error));
        }
        ArrayNode outcomes = result.putArray("records");
        for (JsonNode record : one.get("records")) {
            try {
                before = record(record);
                if (plugin instanceof Predicate) outcomes.add(((Predicate) plugin).test((ConnectRecord) before));
                else outcomes.add(write((ConnectRecord<?>) ((Transformation) plugin).apply((ConnectRecord) before)));
            } catch (Throwable error) {
                ObjectNode failed = outcomes.addObject();
                failed.set("error", error(error));
            }
        }
        return result;
    }

    static JsonNode error(Throwable error) {
        ObjectNode node = JSON.createObjectNode();
        node.put("class", error.getClass().getSimpleName()).put("message", error.getMessage());
        if (System.getenv("TRACE") != null) error.printStackTrace();
        if (error.getCause() != null && error.getCause() != error) node.put("cause", String.valueOf(error.getCause().getMessage()));
        return node;
    }

    // Records: {"source": bool, "topic", "partition", "offset", "timestamp", "key_schema", "key", "value_schema", "value", "headers"}

    static ConnectRecord<?> record(JsonNode r) {
        Schema ks = schema(r.get("key_schema")), vs = schema(r.get("value_schema"));
        Object key = read(ks, r.get("key")), value = read(vs, r.get("value"));
        Integer partition = r.hasNonNull("partition") ? (Integer) r.get("partition").asInt() : null;
        Long timestamp = r.hasNonNull("timestamp") ? (Long) r.get("timestamp").asLong() : null;
        String topic = r.hasNonNull("topic") ? r.get("topic").asText() : null;
        ConnectHeaders headers = new ConnectHeaders();
        if (r.has("headers")) for (JsonNode h : r.get("headers")) {
            Schema s = schema(h.get("schema"));
            headers.add(h.get("key").asText(), read(s, h.get("value")), s);
        }
        if (r.path("source").asBoolean())
            return new SourceRecord(null, null, topic, partition, ks, key, vs, value, timestamp, headers);
        return new SinkRecord(topic, partition == null ? 0 : partition, ks, key, vs, value, r.path("offset").asLong(), timestamp,
            TimestampType.CREATE_TIME, headers);
    }

    static JsonNode write(ConnectRecord<?> r) {
        if (r == null) return JSON.nullNode();
        ObjectNode node = JSON.createObjectNode();
        node.put("topic", r.topic());
        node.put("partition", r.kafkaPartition());
        node.put("timestamp", r.timestamp());
        node.set("key_schema", schema(r.keySchema()));
        node.set("key", write(r.key()));
        node.set("value_schema", schema(r.valueSchema()));
        node.set("value", write(r.value()));
        ArrayNode headers = node.putArray("headers");
        for (Header h : r.headers()) {
            ObjectNode header = headers.addObject();
            header.put("key", h.key()).set("schema", schema(h.schema()));
            header.set("value", write(h.value()));
        }
        return node;
    }

    // Schemas: the members of Connect's JSON schemas, with the default as a tagged value.

    static Schema schema(JsonNode s) {
        if (s == null || s.isNull()) return null;
        String type = s.get("type").asText();
        SchemaBuilder b;
        if (type.equals("array")) b = SchemaBuilder.array(schema(s.get("items")));
        else if (type.equals("map")) b = SchemaBuilder.map(schema(s.get("keys")), schema(s.get("values")));
        else if (type.equals("struct")) {
            b = SchemaBuilder.struct();
            for (JsonNode f : s.get("fields")) b.field(f.get("field").asText(), schema(f));
        } else b = SchemaBuilder.type(type.equals("float") ? Schema.Type.FLOAT32 : type.equals("double") ? Schema.Type.FLOAT64
            : Schema.Type.valueOf(type.toUpperCase(Locale.ROOT)));
        if (s.path("optional").asBoolean()) b.optional();
        if (s.hasNonNull("name")) b.name(s.get("name").asText());
        if (s.hasNonNull("version")) b.version(s.get("version").asInt());
        if (s.hasNonNull("doc")) b.doc(s.get("doc").asText());
        if (s.has("parameters")) s.get("parameters").fields().forEachRemaining(e -> b.parameter(e.getKey(), e.getValue().asText()));
        if (s.hasNonNull("default")) b.defaultValue(read(b, s.get("default")));
        return b.build();
    }

    static JsonNode schema(Schema s) {
        if (s == null) return JSON.nullNode();
        ObjectNode node = JSON.createObjectNode();
        node.put("type", s.type() == Schema.Type.FLOAT32 ? "float" : s.type() == Schema.Type.FLOAT64 ? "double" : s.type().getName());
        if (s.type() == Schema.Type.ARRAY) node.set("items", schema(s.valueSchema()));
        if (s.type() == Schema.Type.MAP) {
            node.set("keys", schema(s.keySchema()));
            node.set("values", schema(s.valueSchema()));
        }
        if (s.type() == Schema.Type.STRUCT) {
            ArrayNode fields = node.putArray("fields");
            for (Field f : s.fields()) fields.add(((ObjectNode) schema(f.schema())).put("field", f.name()));
        }
        node.put("optional", s.isOptional());
        if (s.name() != null) node.put("name", s.name());
        if (s.version() != null) node.put("version", s.version());
        if (s.doc() != null) node.put("doc", s.doc());
        if (s.parameters() != null && !s.parameters().isEmpty()) {
            ObjectNode parameters = node.putObject("parameters");
            new TreeMap<>(s.parameters()).forEach(parameters::put);
        }
        if (s.defaultValue() != null) node.set("default", write(s.defaultValue()));
        return node;
    }

    // Values: null, true, "text", [list], or one tag: i1 i2 i4 i8 f4 f8 dec big ms hex map struct.

    static Object read(Schema schema, JsonNode v) {
        if (v == null || v.isNull()) return null;
        if (v.isBoolean()) return v.asBoolean();
        if (v.isTextual()) return v.asText();
        if (v.isArray()) {
            List<Object> list = new ArrayList<>();
            for (JsonNode e : v) list.add(read(schema == null ? null : schema.valueSchema(), e));
            return list;
        }
        String tag = v.fieldNames().next();
        JsonNode x = v.get(tag);
        switch (tag) {
            case "i1": return (byte) x.asInt();
            case "i2": return (short) x.asInt();
            case "i4": return x.asInt();
            case "i8": return x.asLong();
            case "f4": return Float.valueOf(x.asText());
            case "f8": return Double.valueOf(x.asText());
            case "dec": return new BigDecimal(x.asText());
            case "big": return new BigInteger(x.asText());
            case "ms": return new java.util.Date(x.asLong());
            case "hex": return HexFormat.of().parseHex(x.asText());
            case "map": {
                Map<Object, Object> map = new HashMap<>();
                for (JsonNode e : x) map.put(read(schema == null ? null : schema.keySchema(), e.get(0)),
                    read(schema == null ? null : schema.valueSchema(), e.get(1)));
                return map;
            }
            case "struct": {
                Struct struct = new Struct(schema);
                for (Field f : schema.fields()) if (x.hasNonNull(f.name())) struct.put(f, read(f.schema(), x.get(f.name())));
                return struct;
            }
            default: throw new IllegalArgumentException(tag);
        }
    }

    static JsonNode write(Object v) {
        if (v == null) return JSON.nullNode();
        if (v instanceof Boolean) return JSON.valueToTree(v);
        if (v instanceof String) return JSON.valueToTree(v);
        ObjectNode node = JSON.createObjectNode();
        if (v instanceof Byte) return node.put("i1", (Byte) v);
        if (v instanceof Short) return node.put("i2", (Short) v);
        if (v instanceof Integer) return node.put("i4", (Integer) v);
        if (v instanceof Long) return node.put("i8", (Long) v);
        if (v instanceof Float) return node.put("f4", v.toString());
        if (v instanceof Double) return node.put("f8", v.toString());
        if (v instanceof BigDecimal) return node.put("dec", v.toString());
        if (v instanceof BigInteger) return node.put("big", v.toString());
        if (v instanceof java.util.Date) return node.put("ms", ((java.util.Date) v).getTime());
        if (v instanceof byte[]) return node.put("hex", HexFormat.of().formatHex((byte[]) v));
        if (v instanceof ByteBuffer) {
            byte[] bytes = new byte[((ByteBuffer) v).remaining()];
            ((ByteBuffer) v).duplicate().get(bytes);
            return node.put("hex", HexFormat.of().formatHex(bytes));
        }
        if (v instanceof Collection) {
            ArrayNode list = JSON.createArrayNode();
            for (Object e : (Collection<?>) v) list.add(write(e));
            return list;
        }
        if (v instanceof Map) {
            ArrayNode map = node.putArray("map");
            for (Map.Entry<?, ?> e : ((Map<?, ?>) v).entrySet()) map.addArray().add(write(e.getKey())).add(write(e.getValue()));
            return node;
        }
        if (v instanceof Struct) {
            ObjectNode struct = node.putObject("struct");
            for (Field f : ((Struct) v).schema().fields()) struct.set(f.name(), write(((Struct) v).getWithoutDefault(f.name())));
            return node;
        }
        return node.put("java", v.getClass().getName() + " " + v);
    }
}
