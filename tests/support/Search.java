import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;

/** A node from the jars alone: data folder, HTTP port, transport port, classes of plugins. */
public class Search extends Node {
    Search(Settings settings, Collection<Class<? extends Plugin>> plugins) {
        super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "test"), plugins, false);
    }

    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) throws Throwable {
        List<Class<? extends Plugin>> plugins = new ArrayList<>();
        for (int i = 3; i < arguments.length; i++) {
            plugins.add((Class<? extends Plugin>) Class.forName(arguments[i]));
        }
        Settings settings = Settings.builder()
            .put("path.home", arguments[0]).put("cluster.name", "test").put("node.name", "test")
            .put("discovery.type", "single-node").put("network.host", "127.0.0.1")
            .put("http.port", arguments[1]).put("transport.port", arguments[2])
            .put("http.type", "netty4").put("transport.type", "netty4")
            .put("cluster.routing.allocation.disk.threshold_enabled", false).build();
        Node node = new Search(settings, plugins);
        node.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try { node.close(); } catch (Exception ignored) { }
        }));
        Thread.currentThread().join();
    }
}
