package org.apache.hadoop.hdds.upgrade;

import java.io.IOException;
import java.util.Arrays;
import org.apache.hadoop.ozone.upgrade.AbstractLayoutVersionManager;
import org.apache.hadoop.ozone.upgrade.UpgradeActionHdds;
import org.reflections.Reflections;

/**
 * Stands before the jars of a release and hides the features of SCM and datanodes whose layout is
 * above -Ddrydock.layout.hdds: so the release initialises, upgrades to and refuses what an older
 * one would. Same name and interface as the class it hides.
 */
public class HDDSLayoutVersionManager extends AbstractLayoutVersionManager<HDDSLayoutFeature> {
    private static final int MOST = Integer.getInteger("drydock.layout.hdds");

    public HDDSLayoutVersionManager(int layout) throws IOException {
        init(layout, Arrays.stream(HDDSLayoutFeature.values())
                .filter(feature -> feature.layoutVersion() <= MOST)
                .toArray(HDDSLayoutFeature[]::new));
        for (HDDSLayoutFeature feature : HDDSLayoutFeature.values()) {
            featureMap.putIfAbsent(feature.name(), feature);  // known by name, and not allowed
        }
        Object[] packages = {"org.apache.hadoop.hdds.scm.server", "org.apache.hadoop.ozone.container"};
        register(new Reflections(packages));
    }

    public static int maxLayoutVersion() {
        return MOST;
    }

    private void register(Reflections classes) throws IOException {
        for (Class<?> type : classes.getTypesAnnotatedWith(UpgradeActionHdds.class)) {
            UpgradeActionHdds mark = type.getAnnotation(UpgradeActionHdds.class);
            if (mark.feature().layoutVersion() <= getMetadataLayoutVersion()) {
                continue;
            }
            HDDSUpgradeAction action = make(type);
            if (mark.component() == UpgradeActionHdds.Component.SCM) {
                mark.feature().addScmAction(action);
            } else {
                mark.feature().addDatanodeAction(action);
            }
        }
    }

    private static HDDSUpgradeAction make(Class<?> type) throws IOException {
        try {
            return (HDDSUpgradeAction) type.getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException error) {
            throw new IOException("Cannot instantiate " + type, error);
        }
    }
}
