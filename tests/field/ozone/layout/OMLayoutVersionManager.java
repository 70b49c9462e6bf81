package org.apache.hadoop.ozone.om.upgrade;

import java.io.IOException;
import java.util.Arrays;
import org.apache.hadoop.ozone.om.exceptions.OMException;
import org.apache.hadoop.ozone.upgrade.AbstractLayoutVersionManager;
import org.reflections.Reflections;

/**
 * Stands before the jars of a release and hides the features of OM whose layout is above
 * -Ddrydock.layout.om: so the release initialises, upgrades to and refuses what an older one would.
 * Same name and interface as the class it hides.
 */
public final class OMLayoutVersionManager extends AbstractLayoutVersionManager<OMLayoutFeature> {
    private static final int MOST = Integer.getInteger("drydock.layout.om");

    public OMLayoutVersionManager(int layout) throws OMException {
        try {
            init(layout, Arrays.stream(OMLayoutFeature.values())
                    .filter(feature -> feature.layoutVersion() <= MOST)
                    .toArray(OMLayoutFeature[]::new));
            register();
        } catch (IOException | ReflectiveOperationException error) {
            throw new OMException(error.getMessage(), error,
                    OMException.ResultCodes.NOT_SUPPORTED_OPERATION);
        }
    }

    public OMLayoutVersionManager() throws IOException {
        this(MOST);
    }

    public static int maxLayoutVersion() {
        return MOST;
    }

    private void register() throws ReflectiveOperationException {
        for (OMLayoutFeature feature : OMLayoutFeature.values()) {
            featureMap.putIfAbsent(feature.name(), feature);  // known by name, and not allowed
        }
        Reflections classes = new Reflections("org.apache.hadoop.ozone.om.upgrade");
        for (Class<?> type : classes.getTypesAnnotatedWith(UpgradeActionOm.class)) {
            OMLayoutFeature feature = type.getAnnotation(UpgradeActionOm.class).feature();
            if (feature.layoutVersion() > getMetadataLayoutVersion()) {
                feature.addAction((OmUpgradeAction) type.getDeclaredConstructor().newInstance());
            }
        }
    }
}
